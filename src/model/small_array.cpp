#include "model/small_array.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "io/array_import.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::model {
namespace {

/// Index of value `flat` in an array of this shape.
std::vector<std::int64_t> position(const std::vector<std::int64_t>& shape, std::size_t flat) {
  std::vector<std::int64_t> index(shape.size());
  auto rest = static_cast<std::int64_t>(flat);
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = rest % shape[axis];
    rest /= shape[axis];
  }
  return index;
}

void scale(SmallArray& array, const config::ArraySource& source, std::string_view key) {
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const double found = array.values[i];
    array.values[i] = found * source.scale;
    if (!std::isfinite(array.values[i]))
      throw InputDataError("{}: value at [{}] is {}, times its scale {}: not finite; replace it",
                           describe_source(source, key), fmt::join(position(array.shape, i), ", "), found,
                           source.scale);
  }
}

/// Reverses the order of the axes.
SmallArray transposed(const SmallArray& array) {
  SmallArray result{{array.shape.rbegin(), array.shape.rend()}, std::vector<double>(array.values.size())};
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const auto index = position(array.shape, i);
    std::int64_t flat = 0;
    for (std::size_t axis = index.size(); axis-- > 0;) flat = flat * array.shape[axis] + index[axis];
    result.values[static_cast<std::size_t>(flat)] = array.values[i];
  }
  return result;
}

SmallArray from_file(const config::ArraySource& source, std::string_view key) {
  return with_context(fmt::format("reading {}", key), [&] {
    auto found = io::read_array(parallel::Communicator(), {source.path, source.member});
    return SmallArray{{found.shape.begin(), found.shape.end()}, std::move(found.data)};
  });
}

}  // namespace

std::string describe_source(const config::ArraySource& source, std::string_view key) {
  if (source.path.empty()) return std::string(key);
  if (source.member.empty()) return fmt::format("{} (file {})", key, source.path);
  return fmt::format("{} (file {}, array {})", key, source.path, source.member);
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

SmallArray read_small_array(const config::ArraySource& source, std::string_view key) {
  SmallArray array = source.path.empty() ? SmallArray{source.shape, source.values} : from_file(source, key);
  scale(array, source, key);
  return source.transpose ? transposed(array) : array;
}

std::vector<std::int64_t> small_array_shape(const config::ArraySource& source, std::string_view key) {
  auto shape = source.path.empty() ? source.shape : with_context(fmt::format("reading {}", key), [&] {
    const auto found = io::array_shape(parallel::Communicator(), {source.path, source.member});
    return std::vector<std::int64_t>(found.begin(), found.end());
  });
  if (source.transpose) std::reverse(shape.begin(), shape.end());
  return shape;
}

}  // namespace rankflow::model
