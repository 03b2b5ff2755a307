#include "io/dataset_spec.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace rankflow::io {
namespace {

constexpr std::array<std::pair<std::string_view, std::size_t>, 13> types{{{"float32", 4},
                                                                          {"float64", 8},
                                                                          {"int8", 1},
                                                                          {"int16", 2},
                                                                          {"int32", 4},
                                                                          {"int64", 8},
                                                                          {"uint8", 1},
                                                                          {"uint16", 2},
                                                                          {"uint32", 4},
                                                                          {"uint64", 8},
                                                                          {"bool", 1},
                                                                          {"text", 1},
                                                                          {"a type that holds no numbers", 1}}};

}  // namespace

std::size_t size_of(Type type) {
  return types[static_cast<std::size_t>(type)].second;
}

std::string_view name_of(Type type) {
  return types[static_cast<std::size_t>(type)].first;
}

std::uint64_t count_of(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

std::string text_of(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Shape default_chunk(const Shape& shape, Type type) {
  std::uint64_t budget = (std::uint64_t{1} << 20) / size_of(type);
  Shape chunk(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    chunk[axis] = std::max<std::uint64_t>(1, std::min(shape[axis], budget));
    budget /= chunk[axis];
  }
  return chunk;
}

}  // namespace rankflow::io
