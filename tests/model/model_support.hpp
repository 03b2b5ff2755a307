#pragma once
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "model/network.hpp"

namespace rankflow::model {

/// Runs `action`, which must throw `Expected` with a message that holds every fragment.
template <class Expected, class Action>
void expect_error(const Action& action, std::initializer_list<std::string_view> fragments) {
  try {
    action();
  } catch (const Expected& error) {
    for (const auto fragment : fragments)
      EXPECT_NE(std::string_view(error.what()).find(fragment), std::string_view::npos)
          << "'" << fragment << "' is not in: " << error.what();
    return;
  } catch (const std::exception& error) {
    FAIL() << "another kind of error: " << error.what();
  }
  FAIL() << "no error";
}

/// The rank's first `count` values of one column.
template <class T>
std::vector<T> column(const NeuronArray<T>& array, const parallel::Partition& partition, int c,
                      std::int64_t count = -1) {
  std::vector<T> values;
  for (std::int64_t i = 0; i < (count < 0 ? partition.count() : count); ++i) values.push_back(array.at(i, c));
  return values;
}

/// Mean of a sample with its own standard error.
struct Estimate {
  double mean = 0;
  double error = 0;
};

inline Estimate estimate(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  Estimate result;
  for (const double value : values) result.mean += value / count;
  double variance = 0;
  for (const double value : values) variance += (value - result.mean) * (value - result.mean) / (count - 1);
  result.error = std::sqrt(variance / count);
  return result;
}

/// Mean of a_i b_i.
inline Estimate product_mean(std::span<const double> a, std::span<const double> b) {
  std::vector<double> products(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) products[i] = a[i] * b[i];
  return estimate(products);
}

/// Five standard errors: a correct program fails once in two million checks. Beside them, rounding of the mean.
inline void expect_near(const Estimate& found, double expected, std::string_view what) {
  EXPECT_NEAR(found.mean, expected, 5 * found.error + 1e-11 * (1 + std::abs(expected))) << what;
}

/// A file name of this process in the folder for temporary files; removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / ("rankflow_" + std::to_string(getpid()) + "_" + name)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// Path of a file of the collection of recordings beside the repository, when it is there.
inline std::optional<std::string> shared_file(const std::string& name) {
  const auto path = std::filesystem::path("../shared/data") / name;
  if (std::filesystem::exists(path)) return path.string();
  return std::nullopt;
}

/// Where a missing recording is a failure rather than a reason to skip.
inline bool shared_files_required() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

}  // namespace rankflow::model
