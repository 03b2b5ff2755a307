#include "model/small_array.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace rankflow::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

config::ArraySource inline_array(std::vector<std::int64_t> shape, std::vector<double> values) {
  config::ArraySource source;
  source.given = true;
  source.shape = std::move(shape);
  source.values = std::move(values);
  return source;
}

/// A 2-D .npy file (NumPy format 1.0) that lives as long as this.
class NpyFile {
 public:
  NpyFile(const std::string& name, std::int64_t rows, std::int64_t columns, const std::vector<double>& values)
      : path_(std::filesystem::path(testing::TempDir()) / name) {
    std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
    header.resize(117, ' ');
    header += '\n';
    std::ofstream file(path_, std::ios::binary);
    file << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size()) << '\0' << header;
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * 8));
  }
  ~NpyFile() { std::filesystem::remove(path_); }
  NpyFile(const NpyFile&) = delete;
  NpyFile& operator=(const NpyFile&) = delete;

  config::ArraySource source() const {
    config::ArraySource source;
    source.given = true;
    source.path = path_.string();
    return source;
  }

 private:
  std::filesystem::path path_;
};

std::string report_of(const config::ArraySource& source) {
  try {
    read_small_array(source, "a.key");
  } catch (const InputDataError& error) {
    return error.report();
  }
  return "nothing thrown";
}

TEST(SmallArray, Inline) {
  auto source = inline_array({2, 3}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  source.scale = 0.5;
  const auto array = read_small_array(source, "a.key");
  EXPECT_THAT(array.shape, ElementsAre(2, 3));
  EXPECT_THAT(array.values, ElementsAre(0.5, 1.0, 1.5, 2.0, 2.5, 3.0));
  EXPECT_THAT(small_array_shape(source, "a.key"), ElementsAre(2, 3));
}

TEST(SmallArray, TransposeReversesTheAxes) {
  std::vector<double> values(24);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  auto source = inline_array({2, 3, 4}, values);
  source.transpose = true;
  const auto array = read_small_array(source, "a.key");
  EXPECT_THAT(array.shape, ElementsAre(4, 3, 2));
  EXPECT_THAT(small_array_shape(source, "a.key"), ElementsAre(4, 3, 2));
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(array.values[(k * 3 + j) * 2 + i], values[(i * 3 + j) * 4 + k]);
}

TEST(SmallArray, FromAFile) {
  const NpyFile file("rankflow_small_array.npy", 2, 3, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  auto source = file.source();
  source.transpose = true;
  source.scale = 2.0;
  const auto array = read_small_array(source, "a.key");
  EXPECT_THAT(array.shape, ElementsAre(3, 2));
  EXPECT_THAT(small_array_shape(source, "a.key"), ElementsAre(3, 2));
  EXPECT_THAT(array.values, ElementsAre(2.0, 8.0, 4.0, 10.0, 6.0, 12.0));
}

TEST(SmallArray, ValueNotFinite) {
  EXPECT_THAT(report_of(inline_array({2, 2}, {0.0, 0.0, 0.0, std::nan("")})),
              HasSubstr("a.key: value at [1, 1] is nan"));
  auto large = inline_array({2}, {1.0, 1e300});
  large.scale = 1e100;
  EXPECT_THAT(report_of(large), HasSubstr("a.key: value at [1] is 1e+300, times its scale 1e+100: not finite"));
}

TEST(SmallArray, ValueInAFileNotFinite) {
  const NpyFile file("rankflow_small_array_nan.npy", 2, 2, {0.0, 0.0, std::nan(""), 0.0});
  const auto report = report_of(file.source());
  EXPECT_THAT(report, HasSubstr("rankflow_small_array_nan.npy"));
  EXPECT_THAT(report, HasSubstr("[1, 0]"));
  EXPECT_THAT(report, HasSubstr("while reading a.key"));
}

TEST(SmallArray, FileMissing) {
  auto source = inline_array({}, {});
  source.path = testing::TempDir() + "rankflow_no_such.npy";
  const auto report = report_of(source);
  EXPECT_THAT(report, HasSubstr("rankflow_no_such.npy"));
  EXPECT_THAT(report, HasSubstr("while reading a.key"));
}

TEST(SmallArray, DescribedByKeyFileAndMember) {
  auto source = inline_array({1}, {1.0});
  EXPECT_EQ(describe_source(source, "a.key"), "a.key");
  source.path = "fit.npz";
  EXPECT_EQ(describe_source(source, "a.key"), "a.key (file fit.npz)");
  source.member = "m";
  EXPECT_EQ(describe_source(source, "a.key"), "a.key (file fit.npz, array m)");
  EXPECT_EQ(shape_text({3, 2}), "[3, 2]");
}

}  // namespace
}  // namespace rankflow::model
