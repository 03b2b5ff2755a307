#include "model/small_array.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"

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

void scale_and_check(SmallArray& array, const config::ArraySource& source, std::string_view key) {
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const double found = array.values[i];
    array.values[i] = found * source.scale;
    if (std::isfinite(array.values[i])) continue;
    const auto where = fmt::format("{}: value at [{}] is {}", describe_source(source, key),
                                   fmt::join(position(array.shape, i), ", "), found);
    if (std::isfinite(found))
      throw InputDataError("{}, which times its scale {} is too large for a number", where, source.scale);
    throw InputDataError("{}; every value must be finite: replace it", where);
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
  SmallArray array{source.shape, source.values};
  scale_and_check(array, source, key);
  return source.transpose && array.shape.size() > 1 ? transposed(array) : array;
}

}  // namespace rankflow::model
