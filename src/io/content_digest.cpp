#include "io/content_digest.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace rankflow::io {
namespace {

/// Sums over the ranks; unsigned arithmetic wraps, and so does this.
std::uint64_t sum_over_ranks(const parallel::Communicator& comm, std::uint64_t mine) {
  std::array<std::int64_t, 2> halves{static_cast<std::int64_t>(mine & 0xFFFFFFFFU),
                                     static_cast<std::int64_t>(mine >> 32)};
  comm.sum(halves);
  return static_cast<std::uint64_t>(halves[0]) + (static_cast<std::uint64_t>(halves[1]) << 32);
}

/// A dataset seen as [outer, entries, inner], cut along its longest axis.
struct Cut {
  std::size_t axis = 0;
  std::uint64_t outer = 1;
  std::uint64_t entries = 1;
  std::uint64_t inner = 1;
};

Cut cut_of(const Shape& shape) {
  Cut cut;
  cut.axis = static_cast<std::size_t>(std::max_element(shape.begin(), shape.end()) - shape.begin());
  cut.entries = shape[cut.axis];
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (axis != cut.axis) (axis < cut.axis ? cut.outer : cut.inner) *= shape[axis];
  return cut;
}

template <class T>
std::uint64_t digest_of_block(const Cut& cut, std::uint64_t begin, std::uint64_t count, const std::vector<T>& values) {
  std::uint64_t digest = 0;
  std::size_t next = 0;
  for (std::uint64_t outer = 0; outer < cut.outer; ++outer) {
    const auto first = (outer * cut.entries + begin) * cut.inner;
    for (std::uint64_t i = 0; i < count * cut.inner; ++i) digest += digest_term(first + i, values[next++]);
  }
  return digest;
}

template <class T>
std::uint64_t digest_of_dataset(const File& file, const DatasetInfo& info) {
  const auto cut = cut_of(info.shape);
  constexpr std::uint64_t values_at_once = std::uint64_t{1} << 19;
  const auto step = std::max<std::uint64_t>(1, values_at_once / (cut.outer * cut.inner));
  const auto ranks = static_cast<std::uint64_t>(file.comm().size());
  const auto rank = static_cast<std::uint64_t>(file.comm().rank());
  std::uint64_t digest = 0;
  std::vector<T> values;
  for (std::uint64_t begin = 0; begin < cut.entries; begin += ranks * step) {
    const auto mine = std::min(cut.entries, begin + rank * step);
    const auto count = std::min(step, cut.entries - mine);
    Shape offset(info.shape.size(), 0);
    Shape extent = info.shape;
    offset[cut.axis] = mine;
    extent[cut.axis] = count;
    values.resize(count_of(extent));
    file.read_rows(info.path, offset, extent, std::span<T>(values));
    digest += digest_of_block(cut, mine, count, values);
  }
  return sum_over_ranks(file.comm(), digest);
}

}  // namespace

std::uint64_t content_digest(const File& file, const std::string& path) {
  const auto info = file.info(path);
  if (count_of(info.shape) == 0) return 0;
  if (info.type == Type::f32) return digest_of_dataset<float>(file, info);
  if (info.type == Type::i64) return digest_of_dataset<std::int64_t>(file, info);
  return digest_of_dataset<double>(file, info);
}

template <class T>
std::uint64_t content_digest(const parallel::Communicator& comm, const parallel::Partition& partition,
                             std::size_t columns, std::span<const T> tiled) {
  std::uint64_t digest = 0;
  constexpr auto length = static_cast<std::size_t>(parallel::tile_size);
  const auto neurons = static_cast<std::uint64_t>(partition.global_count());
  for (std::int64_t tile = 0; tile < partition.tiles(); ++tile) {
    const auto first = static_cast<std::uint64_t>(partition.tile_begin(tile));
    const auto count = static_cast<std::size_t>(partition.tile_count(tile));
    for (std::size_t column = 0; column < columns; ++column)
      for (std::size_t i = 0; i < count; ++i)
        digest += digest_term(column * neurons + first + i,
                              tiled[(static_cast<std::size_t>(tile) * columns + column) * length + i]);
  }
  return sum_over_ranks(comm, digest);
}

template std::uint64_t content_digest<float>(const parallel::Communicator&, const parallel::Partition&, std::size_t,
                                             std::span<const float>);
template std::uint64_t content_digest<double>(const parallel::Communicator&, const parallel::Partition&, std::size_t,
                                              std::span<const double>);

}  // namespace rankflow::io
