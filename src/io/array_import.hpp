#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/dataset_spec.hpp"
#include "parallel/communicator.hpp"
#include "parallel/partition.hpp"

namespace rankflow::io {

/// An array in a file of another program: .npy (no member), .npz (member as in "m") or HDF5 (member: the
/// dataset's path). The format is told by the file's first bytes, not by its name.
struct ArraySource {
  std::filesystem::path path;
  std::string member = {};

  /// As in "dataset 'm' of file 'weights.h5'".
  std::string describe() const;
};

/// A small array, the same on every rank, in C order.
struct DenseArray {
  Shape shape;
  std::vector<double> data;
};

/// Shape of the array, without reading its values. Collective.
/// Throws InputDataError: file or member missing (with the list and the nearest name), unknown format,
/// unsupported type, cut-off file.
Shape array_shape(const parallel::Communicator& comm, const ArraySource& source);

/// Which values an array may hold: NaN stands for what was not observed in some recordings.
enum class Values { finite, any };

/// Reads the array whole on every rank. `expected`, unless empty, is the shape it must have; a zero stands for any
/// length. Collective. Throws InputDataError as array_shape(), and on another shape or values that are not allowed.
DenseArray read_array(const parallel::Communicator& comm, const ArraySource& source, const Shape& expected = {},
                      Values allowed = Values::finite);

struct NeuronArrayOptions {
  bool transpose = false;  ///< the file holds [column, neuron]
  double scale = 1;        ///< every value is multiplied by this
};

/// Reads this rank's neurons of an array [neuron, column] (or [neuron] when columns == 1) into tiled storage;
/// padding becomes zero. HDF5 and .npy are read in place, through a bounded buffer. Collective.
/// Throws InputDataError as read_array().
template <class T>
void read_neuron_array(const parallel::Communicator& comm, const ArraySource& source,
                       const parallel::Partition& partition, std::size_t columns, std::span<T> tiled,
                       const NeuronArrayOptions& options = {});

}  // namespace rankflow::io
