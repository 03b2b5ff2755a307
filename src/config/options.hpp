#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/checker.hpp"

/// What an options struct needs to describe itself; reading, writing and documentation are in config/load.hpp.
namespace rankflow::config {

/// What is said and demanded of a key. The bounds hold for a number and for each number of a list, matrix or
/// inline array. Lower bounds stand before upper ones, because designated initialisers keep this order.
struct Spec {
  std::string_view doc = {};
  std::string_view unit = {};
  std::optional<double> above = {};         ///< exclusive
  std::optional<double> minimum = {};       ///< inclusive
  std::optional<double> maximum = {};       ///< inclusive
  std::optional<double> below = {};         ///< exclusive
  std::optional<std::int64_t> length = {};  ///< elements of a list, rows of a matrix or inline array
  bool required = false;                    ///< absent from the file and from --set: an error
};

/// One allowed value of a choice: its name in the file, its value in the program, its meaning.
template <class Enum>
struct Alternative {
  std::string_view name;
  Enum value;
  std::string_view doc = {};
};

/// Numbers given inline or in a file: m = [[1, 2], [3, 4]], or m = "weights.npy", "weights.npz:m",
/// "fit.h5:/group/m", or a table { file = "fit.h5:/n", transpose = true, scale = 512.0 }, where `values` may
/// stand for `file`, and a `member` of its own keeps `file` from being split at a colon.
struct ArraySource {
  bool given = false;
  std::string path;    ///< absolute; empty for inline values
  std::string member;  ///< key in an .npz, path of an HDF5 data set; may be empty
  bool transpose = false;
  double scale = 1.0;               ///< factor on every value
  std::vector<double> values;       ///< inline values, last index fastest, neither transposed nor scaled
  std::vector<std::int64_t> shape;  ///< of `values`, one to three dimensions
};

}  // namespace rankflow::config
