#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace rankflow::io {

using Shape = std::vector<std::uint64_t>;

/// Number types of datasets. `text` and `other` occur only in files that others wrote.
enum class Type { f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, boolean, text, other };

std::size_t size_of(Type type);
/// The type a number of ours has in a file.
template <class T>
inline constexpr Type type_in_file = std::is_same_v<T, float>    ? Type::f32
                                     : std::is_same_v<T, double> ? Type::f64
                                                                 : Type::i64;
/// As in "float64".
std::string_view name_of(Type type);

/// Value of an attribute. Arrays of numbers are read as doubles.
using Attribute = std::variant<std::string, std::int64_t, std::uint64_t, double, std::vector<double>>;
using Attributes = std::map<std::string, Attribute>;

/// A dataset to be made. Space is allocated at once, so that writing rows later changes no metadata and
/// a process killed in the middle leaves a file that opens.
struct DatasetSpec {
  std::string path;                     ///< absolute, as in "/trajectory/latent"; groups are made as needed
  Shape shape;                          ///< fixed
  std::vector<std::string> dimensions;  ///< one name per axis; scales of these names lie in the same group
  Type type = Type::f64;
  std::string units = {};      ///< as in "s", "1"; no attribute when empty
  std::string long_name = {};  ///< no attribute when empty
  Shape chunk = {};            ///< empty: chosen, about 1 MiB
  bool checksum = false;       ///< Fletcher-32 per chunk, verified on every read
  /// Entries nobody wrote read as NaN (integers: 0). Without it they read as 0 and creation costs no
  /// writing: for arrays that surely are written whole.
  bool fill = true;
};

/// What is known about a dataset in a file.
struct DatasetInfo {
  std::string path;
  Shape shape;
  Type type = Type::other;
  std::vector<std::string> dimensions;  ///< empty names where no scale is attached
  std::string units;
  std::string long_name;
  bool checksum = false;
};

/// Product of the extents.
std::uint64_t count_of(const Shape& shape);
/// As in "[3, 100]".
std::string text_of(const Shape& shape);
/// Chunk of about 1 MiB: whole trailing axes first.
Shape default_chunk(const Shape& shape, Type type);

}  // namespace rankflow::io
