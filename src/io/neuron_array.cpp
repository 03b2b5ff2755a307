#include "io/neuron_array.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace rankflow::io {
namespace {

using parallel::Partition;
using parallel::tile_size;

/// The part of the array that one collective round moves. The neurons are empty for ranks that are done.
struct Block {
  std::int64_t first_tile = 0;
  std::int64_t tiles = 0;
  std::uint64_t begin = 0;  ///< global index of the first neuron
  std::uint64_t neurons = 0;
  std::size_t first_column = 0;
  std::size_t columns = 0;
};

bool neurons_vary_fastest(const Placement& placement) {
  return placement.column_axis < static_cast<int>(placement.neuron_axis);
}

/// Calls `action` for every round. All ranks make the same number of rounds: that of rank 0, which never
/// holds fewer tiles than another.
void for_each_block(const Partition& partition, int ranks, std::size_t columns, std::size_t value_bytes,
                    const std::function<void(const Block&)>& action) {
  const std::size_t budget = transfer_buffer_bytes / (static_cast<std::size_t>(tile_size) * value_bytes);
  const std::size_t columns_at_once = std::clamp<std::size_t>(columns, 1, budget);
  const auto tiles_at_once = static_cast<std::int64_t>(std::max<std::size_t>(1, budget / columns_at_once));
  const std::int64_t most_tiles = Partition(partition.global_count(), ranks, 0).tiles();
  for (std::int64_t tile = 0; tile < most_tiles; tile += tiles_at_once) {
    Block block;
    block.first_tile = std::min(tile, partition.tiles());
    block.tiles = std::min(tiles_at_once, partition.tiles() - block.first_tile);
    if (block.tiles > 0) {
      block.begin = static_cast<std::uint64_t>(partition.tile_begin(block.first_tile));
      const auto end = std::min(partition.tile_begin(block.first_tile + block.tiles), partition.global_count());
      block.neurons = static_cast<std::uint64_t>(end) - block.begin;
    }
    for (std::size_t column = 0; column < columns; column += columns_at_once) {
      block.first_column = column;
      block.columns = std::min(columns_at_once, columns - column);
      action(block);
    }
  }
}

/// Calls `copy(index in the buffer, index in the tiled array)` for all values of the block.
template <class Copy>
void for_each_value(const Block& block, const Placement& placement, std::size_t columns, const Copy& copy) {
  const bool neurons_fastest = neurons_vary_fastest(placement);
  const std::size_t neuron_stride = neurons_fastest ? 1 : block.columns;
  const std::size_t column_stride = neurons_fastest ? block.neurons : 1;
  constexpr auto length = static_cast<std::size_t>(tile_size);
  for (std::size_t tile = 0; tile * length < block.neurons; ++tile) {
    const std::size_t in_tile = std::min(length, block.neurons - tile * length);
    const std::size_t global_tile = static_cast<std::size_t>(block.first_tile) + tile;
    for (std::size_t column = 0; column < block.columns; ++column) {
      const std::size_t from = (global_tile * columns + block.first_column + column) * length;
      const std::size_t to = tile * length * neuron_stride + column * column_stride;
      for (std::size_t i = 0; i < in_tile; ++i) copy(to + i * neuron_stride, from + i);
    }
  }
}

struct Slab {
  Shape offset;
  Shape extent;
};

Slab slab_of(const Block& block, const Placement& placement, std::size_t axes) {
  Slab slab{placement.fixed, Shape(axes, 1)};
  slab.offset.resize(axes, 0);
  slab.offset[placement.neuron_axis] = block.begin;
  slab.extent[placement.neuron_axis] = block.neurons;
  if (placement.column_axis >= 0) {
    slab.offset[static_cast<std::size_t>(placement.column_axis)] = block.first_column;
    slab.extent[static_cast<std::size_t>(placement.column_axis)] = block.columns;
  }
  return slab;
}

std::size_t axes_of(const Placement& placement) {
  if (!placement.fixed.empty()) return placement.fixed.size();
  return placement.column_axis >= 0 ? 2 : 1;
}

void require_shape(const File& file, const std::string& path, const Partition& partition, std::size_t columns,
                   const Placement& placement) {
  Shape expected(axes_of(placement), 1);
  const auto& shape = file.shape(path);
  if (shape.size() == expected.size()) expected = shape;
  expected[placement.neuron_axis] = static_cast<std::uint64_t>(partition.global_count());
  if (placement.column_axis >= 0) expected[static_cast<std::size_t>(placement.column_axis)] = columns;
  if (shape != expected)
    throw InputDataError("dataset '{}' in file '{}' has shape {}, expected {}", path, file.name(), text_of(shape),
                         text_of(expected));
}

void require_length(const Partition& partition, std::size_t columns, std::size_t values) {
  if (values != static_cast<std::size_t>(partition.padded_count()) * columns)
    throw InternalError("tiled array of {} values does not hold {} columns of {} padded neurons", values, columns,
                        partition.padded_count());
}

}  // namespace

template <class T>
void write_neurons(File& file, const std::string& path, const Partition& partition, std::size_t columns,
                   std::span<const T> tiled, const Placement& placement) {
  require_length(partition, columns, tiled.size());
  require_shape(file, path, partition, columns, placement);
  std::vector<T> buffer;
  for_each_block(partition, file.comm().size(), columns, sizeof(T), [&](const Block& block) {
    buffer.resize(block.neurons * block.columns);
    for_each_value(block, placement, columns, [&](std::size_t to, std::size_t from) { buffer[to] = tiled[from]; });
    const auto slab = slab_of(block, placement, file.shape(path).size());
    file.write_rows(path, slab.offset, slab.extent, std::span<const T>(buffer));
  });
}

template <class T>
void read_neurons(const File& file, const std::string& path, const Partition& partition, std::size_t columns,
                  std::span<T> tiled, const Placement& placement) {
  require_length(partition, columns, tiled.size());
  const bool one_column = columns == 1 && file.shape(path).size() == 1 && placement.fixed.empty();
  const auto place = one_column ? Placement::vector() : placement;
  require_shape(file, path, partition, columns, place);
  std::fill(tiled.begin(), tiled.end(), T{0});
  std::vector<T> buffer;
  for_each_block(partition, file.comm().size(), columns, sizeof(T), [&](const Block& block) {
    buffer.resize(block.neurons * block.columns);
    const auto slab = slab_of(block, place, file.shape(path).size());
    file.read_rows(path, slab.offset, slab.extent, std::span<T>(buffer));
    for_each_value(block, place, columns, [&](std::size_t from, std::size_t to) { tiled[to] = buffer[from]; });
  });
}

template void write_neurons<float>(File&, const std::string&, const Partition&, std::size_t, std::span<const float>,
                                   const Placement&);
template void write_neurons<double>(File&, const std::string&, const Partition&, std::size_t, std::span<const double>,
                                    const Placement&);
template void read_neurons<float>(const File&, const std::string&, const Partition&, std::size_t, std::span<float>,
                                  const Placement&);
template void read_neurons<double>(const File&, const std::string&, const Partition&, std::size_t, std::span<double>,
                                   const Placement&);

}  // namespace rankflow::io
