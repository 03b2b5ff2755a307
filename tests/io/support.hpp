#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/hdf5_file.hpp"
#include "parallel/partition.hpp"

namespace rankflow::io::testing {

/// A folder that lives as long as the object. All ranks of `comm` share it.
class Folder {
 public:
  explicit Folder(const parallel::Communicator& comm = parallel::Communicator()) : owner_(comm.is_root()) {
    std::string path;
    if (owner_) {
      static std::atomic<int> number{0};
      path = (std::filesystem::temp_directory_path() /
              ("rankflow_io_" + std::to_string(::getpid()) + "_" + std::to_string(number++)))
                 .string();
      std::filesystem::create_directories(path);
    }
    comm.broadcast(path);
    path_ = path;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (owner_) std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  bool owner_;
  std::filesystem::path path_;
};

inline std::vector<char> bytes_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A value that names its place, exact in float.
inline double value_at(std::int64_t neuron, std::size_t column) {
  return static_cast<double>(neuron) + 0.125 * static_cast<double>(column);
}

/// The rank's share of the array of value_at(), tiled.
template <class T>
std::vector<T> tiled_values(const parallel::Partition& partition, std::size_t columns) {
  std::vector<T> values(static_cast<std::size_t>(partition.padded_count()) * columns, T{0});
  constexpr auto length = static_cast<std::size_t>(parallel::tile_size);
  for (std::int64_t i = partition.begin(); i < partition.end(); ++i)
    for (std::size_t c = 0; c < columns; ++c) {
      const auto local = static_cast<std::size_t>(i - partition.begin());
      values[(local / length * columns + c) * length + local % length] = static_cast<T>(value_at(i, c));
    }
  return values;
}

/// Runs `action` and gives the message of the error of type E that it throws; fails when it throws none.
template <class E, class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error than expected: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no error where one was expected";
  return "";
}

}  // namespace rankflow::io::testing
