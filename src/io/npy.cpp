#include "io/npy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/error.hpp"

namespace rankflow::io {
namespace {

struct NamedType {
  std::string_view name;
  Type type;
};
constexpr std::array<NamedType, 6> known_types{{{"<f4", Type::f32},
                                                {"<f8", Type::f64},
                                                {"<i4", Type::i32},
                                                {"<i8", Type::i64},
                                                {"|u1", Type::u8},
                                                {"|b1", Type::boolean}}};

constexpr std::string_view magic = "\x93NUMPY";

std::string read_text(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  std::string text(length, '\0');
  source.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

/// The text after `'key':` in the header's dictionary.
std::string_view value_of(std::string_view dictionary, std::string_view key, const std::string& what) {
  const auto quoted = "'" + std::string(key) + "'";
  auto at = dictionary.find(quoted);
  if (at != std::string_view::npos) at = dictionary.find(':', at);
  if (at != std::string_view::npos) at = dictionary.find_first_not_of(' ', at + 1);
  if (at == std::string_view::npos)
    throw InputDataError("{}: the .npy header lacks '{}'; the file is damaged", what, key);
  return dictionary.substr(at);
}

Type parse_type(std::string_view value, const std::string& what) {
  const auto name =
      value.starts_with('\'') ? value.substr(1, value.find('\'', 1) - 1) : value.substr(0, value.find(']') + 1);
  for (const auto& known : known_types)
    if (name == known.name) return known.type;
  throw InputDataError(
      "{}: values of type '{}' cannot be read; allowed: <f4, <f8, <i4, <i8, |u1, |b1 (in numpy: array.astype('<f8'))",
      what, name);
}

Shape parse_shape(std::string_view value, const std::string& what) {
  const auto end = value.find(')');
  if (!value.starts_with('(') || end == std::string_view::npos)
    throw InputDataError("{}: the .npy header holds no shape; the file is damaged", what);
  Shape shape;
  const char* at = value.data() + 1;
  const char* const stop = value.data() + end;
  while (at < stop) {
    std::uint64_t extent = 0;
    const auto [next, error] = std::from_chars(at, stop, extent);
    if (error != std::errc()) {
      ++at;
      continue;
    }
    shape.push_back(extent);
    at = next;
  }
  return shape;
}

template <class T>
void convert(std::span<const std::byte> bytes, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
}

}  // namespace

NpyHeader read_npy_header(const ByteSource& source, const std::string& what) {
  constexpr std::uint64_t shortest = 10;
  if (source.size() < shortest || read_text(source, 0, magic.size()) != magic)
    throw InputDataError("{} is not a .npy array (its signature is missing)", what);
  const auto fixed = read_text(source, 0, std::min<std::uint64_t>(12, source.size()));
  const auto byte = [&](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(fixed[i])); };
  const auto version = byte(6);
  if (version != 1 && version != 2)
    throw InputDataError("{}: .npy version {} cannot be read; allowed: 1, 2", what, version);
  if (fixed.size() < 12) throw InputDataError("{} ends within its .npy header", what);
  const std::uint64_t start = version == 1 ? 10 : 12;
  const std::uint64_t length =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (source.size() < start + length) throw InputDataError("{} ends within its .npy header", what);
  const auto dictionary = read_text(source, start, length);
  NpyHeader header;
  header.type = parse_type(value_of(dictionary, "descr", what), what);
  header.fortran_order = value_of(dictionary, "fortran_order", what).starts_with("True");
  header.shape = parse_shape(value_of(dictionary, "shape", what), what);
  header.data_offset = start + length;
  const auto expected = count_of(header.shape) * size_of(header.type);
  if (source.size() < header.data_offset + expected)
    throw InputDataError("{} is cut off: shape {} of {} needs {} bytes of data, found {}", what, text_of(header.shape),
                         name_of(header.type), expected, source.size() - header.data_offset);
  return header;
}

void read_npy_values(const ByteSource& source, const NpyHeader& header, std::uint64_t first, std::span<double> values) {
  const auto width = size_of(header.type);
  std::vector<std::byte> bytes(values.size() * width);
  source.read(header.data_offset + first * width, bytes);
  switch (header.type) {
    case Type::f32:
      return convert<float>(bytes, values);
    case Type::f64:
      return convert<double>(bytes, values);
    case Type::i32:
      return convert<std::int32_t>(bytes, values);
    case Type::i64:
      return convert<std::int64_t>(bytes, values);
    default:
      return convert<std::uint8_t>(bytes, values);
  }
}

}  // namespace rankflow::io
