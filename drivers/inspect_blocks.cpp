#include "inspect_blocks.hpp"

#include <algorithm>
#include <vector>

namespace rankflow::drivers {
namespace {

constexpr std::uint64_t block_values = std::uint64_t{1} << 19;

/// How a dataset is cut: whole trailing axes, `length` indices of the axis before them, single indices of the rest.
struct Cut {
  std::size_t axis = 0;
  std::uint64_t length = 1;
};

Cut cut_of(const io::Shape& shape) {
  Cut cut;
  std::uint64_t behind = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    cut = {axis, std::max<std::uint64_t>(1, std::min(shape[axis], block_values / behind))};
    if (cut.length < shape[axis]) break;
    behind *= shape[axis];
  }
  return cut;
}

/// Moves to the next block; false past the last one.
bool advance(io::Shape& offset, const io::Shape& shape, const Cut& cut) {
  for (std::size_t axis = cut.axis + 1; axis-- > 0;) {
    offset[axis] += axis == cut.axis ? cut.length : 1;
    if (offset[axis] < shape[axis]) return true;
    offset[axis] = 0;
  }
  return false;
}

}  // namespace

io::Shape index_of(std::uint64_t position, const io::Shape& shape) {
  io::Shape index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0; position /= shape[axis]) index[axis] = position % shape[axis];
  return index;
}

std::uint64_t for_each_block(const io::File& file, const io::DatasetInfo& info,
                             const std::function<void(std::uint64_t, std::span<const double>)>& visit) {
  const auto total = io::count_of(info.shape);
  if (total == 0) return 1;
  if (info.shape.empty()) {
    visit(0, file.read_all<double>(info.path));
    return 1;
  }
  const std::uint64_t stride = (total + values_read_whole - 1) / values_read_whole;
  const auto cut = cut_of(info.shape);
  std::vector<double> buffer;
  io::Shape offset(info.shape.size(), 0);
  std::uint64_t number = 0;
  std::uint64_t first = 0;
  do {
    io::Shape extent(info.shape);
    for (std::size_t axis = 0; axis < cut.axis; ++axis) extent[axis] = 1;
    extent[cut.axis] = std::min(cut.length, info.shape[cut.axis] - offset[cut.axis]);
    if (number++ % stride == 0) {
      buffer.resize(io::count_of(extent));
      file.read_rows<double>(info.path, offset, extent, buffer);
      visit(first, buffer);
    }
    first += io::count_of(extent);
  } while (advance(offset, info.shape, cut));
  return stride;
}

bool is_numeric(io::Type type) {
  return type != io::Type::text && type != io::Type::other;
}

}  // namespace rankflow::drivers
