#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/hdf5_file.hpp"
#include "parallel/partition.hpp"

namespace rankflow::io {

/// Where the values of a distributed array lie in a dataset. In memory the array is tiled: value (neuron
/// i of the rank, column c) at data[(tile * columns + c) * tile_size + position in the tile].
struct Placement {
  std::size_t neuron_axis = 0;
  int column_axis = 1;  ///< -1: the dataset has no axis for columns (columns == 1)
  Shape fixed = {};     ///< index on every other axis (entries at the two axes are ignored); empty: none

  /// Dataset [neuron, column].
  static Placement rows() { return {}; }
  /// Dataset [neuron], one column.
  static Placement vector() { return {.neuron_axis = 0, .column_axis = -1}; }
  /// Dataset [column, neuron], as in [trial, neuron].
  static Placement columns() { return {.neuron_axis = 1, .column_axis = 0}; }
  /// Dataset [trial, time, neuron] at one time; the columns are trials.
  static Placement at_time(std::uint64_t time) { return {.neuron_axis = 2, .column_axis = 0, .fixed = {0, time, 0}}; }
};

/// Bytes that a transfer may hold besides the array itself.
inline constexpr std::size_t transfer_buffer_bytes = std::size_t{4} << 20;

/// Writes this rank's neurons (tiled, `columns` columns) of all ranks into one dataset, through a bounded
/// buffer in several collective rounds; padding is left out. T: float or double; the dataset may have
/// the other precision. Collective, also for ranks without neurons.
template <class T>
void write_neurons(File& file, const std::string& path, const parallel::Partition& partition, std::size_t columns,
                   std::span<const T> tiled, const Placement& placement = Placement::rows());

/// The reverse. Padding entries of `tiled` become zero. Throws InputDataError when the dataset's shape
/// does not fit, naming the expected one.
template <class T>
void read_neurons(const File& file, const std::string& path, const parallel::Partition& partition, std::size_t columns,
                  std::span<T> tiled, const Placement& placement = Placement::rows());

}  // namespace rankflow::io
