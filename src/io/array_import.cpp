#include "io/array_import.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include <fmt/ranges.h>

#include "io/agreement.hpp"
#include "io/finite.hpp"
#include "io/neuron_array.hpp"
#include "io/npy.hpp"

namespace rankflow::io {
namespace {

using parallel::Communicator;
using parallel::Partition;
using parallel::tile_size;

enum class Format : std::int64_t { npy, npz, hdf5 };

Format detect(const ArraySource& source) {
  if (std::filesystem::is_directory(source.path))
    throw InputDataError("'{}' is a directory; a .npy, .npz or HDF5 file is needed", source.path.string());
  const auto bytes = open_bytes(source.path);
  std::string head(std::min<std::uint64_t>(8, bytes->size()), '\0');
  bytes->read(0, std::as_writable_bytes(std::span(head)));
  if (head.starts_with("\x93NUMPY")) return Format::npy;
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return Format::npz;
  if (head.starts_with("\x89HDF")) return Format::hdf5;
  throw InputDataError("'{}' is neither .npy nor .npz nor HDF5; save the array in one of these formats",
                       source.path.string());
}

void require_member(const ArraySource& source, Format format) {
  if (format == Format::npy && !source.member.empty())
    throw InputDataError("'{}' is a .npy file, which holds one array without a name; leave '{}' out",
                         source.path.string(), source.member);
  if (format == Format::npz && source.member.empty())
    throw InputDataError("'{}' is a .npz archive: name the array to read; it holds: {}", source.path.string(),
                         fmt::join(npz_members(source.path), ", "));
  if (format == Format::hdf5 && source.member.empty())
    throw InputDataError("'{}' is an HDF5 file: name the dataset to read, as in /group/name", source.path.string());
}

/// Rank 0 looks at the file, the others believe it.
Format format_of(const Communicator& comm, const ArraySource& source) {
  Format format{};
  on_root(comm, [&] {
    format = detect(source);
    require_member(source, format);
  });
  comm.broadcast(std::span(&format, 1));
  return format;
}

std::string dataset_path(const ArraySource& source) {
  return source.member.starts_with('/') ? source.member : "/" + source.member;
}

/// An array of NumPy's on this rank.
struct NpyArray {
  std::unique_ptr<ByteSource> bytes;
  NpyHeader header;
};

NpyArray open_npy(const Communicator& comm, const ArraySource& source, Format format) {
  NpyArray array;
  on_all_ranks(comm, [&] {
    array.bytes = format == Format::npy ? open_bytes(source.path) : open_npz_member(source.path, source.member);
    array.header = read_npy_header(*array.bytes, source.describe());
  });
  return array;
}

bool matches(const Shape& shape, const Shape& expected) {
  return shape.size() == expected.size() &&
         std::equal(shape.begin(), shape.end(), expected.begin(),
                    [](std::uint64_t found, std::uint64_t wanted) { return wanted == 0 || found == wanted; });
}

void require_shape(const ArraySource& source, const Shape& shape, const Shape& expected, bool may_transpose = false) {
  if (expected.empty() || matches(shape, expected)) return;
  std::vector<std::string> wanted;
  for (const auto extent : expected) wanted.push_back(extent == 0 ? "any" : std::to_string(extent));
  const bool turned = may_transpose && matches(shape, Shape(expected.rbegin(), expected.rend()));
  throw InputDataError("{} has shape {}, expected [{}]{}", source.describe(), text_of(shape), fmt::join(wanted, ", "),
                       turned ? "; it seems to be transposed: set the transpose option" : "");
}

/// Values in the order of the file (Fortran) brought to C order.
std::vector<double> to_c_order(const Shape& shape, const std::vector<double>& values) {
  std::vector<double> result(values.size());
  std::vector<std::uint64_t> index(shape.size(), 0);
  for (const double value : values) {
    std::uint64_t position = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) position = position * shape[axis] + index[axis];
    result[position] = value;
    for (std::size_t axis = 0; axis < shape.size() && ++index[axis] == shape[axis]; ++axis) index[axis] = 0;
  }
  return result;
}

void require_finite_values(const ArraySource& source, const DenseArray& array) {
  const auto bad = std::find_if(array.data.begin(), array.data.end(), [](double x) { return !std::isfinite(x); });
  if (bad == array.data.end()) return;
  Shape place(array.shape.size());
  auto rest = static_cast<std::uint64_t>(bad - array.data.begin());
  for (std::size_t axis = place.size(); axis-- > 0; rest /= array.shape[axis]) place[axis] = rest % array.shape[axis];
  throw InputDataError("{} holds {} at {} (counted from 0); every value must be finite", source.describe(), *bad,
                       text_of(place));
}

/// Where the value of (neuron, column) lies in the file's sequence of values.
struct Strides {
  std::uint64_t neuron = 1;
  std::uint64_t column = 1;
};

/// Copies the rank's share out of a .npy array, in pieces that are contiguous in the file.
template <class T>
void copy_share(const NpyArray& array, const Strides& strides, const Partition& partition, std::size_t columns,
                double scale, std::span<T> tiled) {
  constexpr auto length = static_cast<std::uint64_t>(tile_size);
  const auto first = static_cast<std::uint64_t>(partition.begin());
  const auto neurons = static_cast<std::uint64_t>(partition.count());
  const auto put = [&](std::uint64_t neuron, std::size_t column, double value) {
    tiled[(neuron / length * columns + column) * length + neuron % length] = static_cast<T>(scale * value);
  };
  const bool neuron_by_neuron = strides.column == 1 && columns > 1;
  const std::size_t passes = neuron_by_neuron ? 1 : columns;
  const std::size_t width = neuron_by_neuron ? columns : 1;
  const std::uint64_t step = std::max<std::uint64_t>(1, transfer_buffer_bytes / sizeof(double) / width);
  std::vector<double> buffer;
  for (std::size_t pass = 0; pass < passes; ++pass)
    for (std::uint64_t neuron = 0; neuron < neurons; neuron += step) {
      const auto count = std::min(step, neurons - neuron);
      buffer.resize(count * width);
      read_npy_values(*array.bytes, array.header, (first + neuron) * strides.neuron + pass * strides.column, buffer);
      for (std::uint64_t i = 0; i < buffer.size(); ++i) put(neuron + i / width, pass + i % width, buffer[i]);
    }
}

template <class T>
void read_npy_share(const Communicator& comm, const ArraySource& source, Format format, const Partition& partition,
                    std::size_t columns, std::span<T> tiled, const NeuronArrayOptions& options) {
  const auto array = open_npy(comm, source, format);
  const auto neurons = static_cast<std::uint64_t>(partition.global_count());
  // Transposing an array turns the order of its values from C to Fortran.
  const bool neurons_together = array.header.fortran_order != options.transpose;
  const Strides strides = neurons_together ? Strides{1, neurons} : Strides{columns, 1};
  on_all_ranks(comm, [&] { copy_share(array, strides, partition, columns, options.scale, tiled); });
}

template <class T>
void read_hdf5_share(const Communicator& comm, const ArraySource& source, const Partition& partition,
                     std::size_t columns, std::span<T> tiled, const NeuronArrayOptions& options) {
  const auto file = File::open(comm, source.path);
  const bool transposed = options.transpose && file.info(dataset_path(source)).shape.size() == 2;
  read_neurons(file, dataset_path(source), partition, columns, tiled,
               transposed ? Placement::columns() : Placement::rows());
  for (auto& value : tiled) value = static_cast<T>(options.scale * static_cast<double>(value));
}

}  // namespace

std::string ArraySource::describe() const {
  return member.empty() ? fmt::format("array '{}'", path.string())
                        : fmt::format("dataset '{}' of file '{}'", member, path.string());
}

Shape array_shape(const Communicator& comm, const ArraySource& source) {
  const auto format = format_of(comm, source);
  if (format == Format::hdf5) return File::open(comm, source.path).info(dataset_path(source)).shape;
  return open_npy(comm, source, format).header.shape;
}

DenseArray read_array(const Communicator& comm, const ArraySource& source, const Shape& expected, Values allowed) {
  const auto format = format_of(comm, source);
  DenseArray array;
  if (format == Format::hdf5) {
    const auto file = File::open(comm, source.path);
    array.shape = file.info(dataset_path(source)).shape;
    require_shape(source, array.shape, expected);
    array.data = file.read_all<double>(dataset_path(source));
  } else {
    const auto npy = open_npy(comm, source, format);
    array.shape = npy.header.shape;
    require_shape(source, array.shape, expected);
    array.data.resize(count_of(array.shape));
    on_all_ranks(comm, [&] { read_npy_values(*npy.bytes, npy.header, 0, array.data); });
    if (npy.header.fortran_order) array.data = to_c_order(array.shape, array.data);
  }
  if (allowed == Values::finite) require_finite_values(source, array);
  return array;
}

template <class T>
void read_neuron_array(const Communicator& comm, const ArraySource& source, const Partition& partition,
                       std::size_t columns, std::span<T> tiled, const NeuronArrayOptions& options) {
  const auto shape = array_shape(comm, source);
  const auto neurons = static_cast<std::uint64_t>(partition.global_count());
  Shape expected = options.transpose ? Shape{columns, neurons} : Shape{neurons, columns};
  if (columns == 1 && shape.size() == 1) expected = {neurons};
  require_shape(source, shape, expected, true);
  std::fill(tiled.begin(), tiled.end(), T{0});
  const auto format = format_of(comm, source);
  if (format == Format::hdf5) {
    read_hdf5_share(comm, source, partition, columns, tiled, options);
  } else {
    read_npy_share(comm, source, format, partition, columns, tiled, options);
  }
  require_finite<T>(comm, partition, columns, tiled, source.describe());
}

template void read_neuron_array<float>(const Communicator&, const ArraySource&, const Partition&, std::size_t,
                                       std::span<float>, const NeuronArrayOptions&);
template void read_neuron_array<double>(const Communicator&, const ArraySource&, const Partition&, std::size_t,
                                        std::span<double>, const NeuronArrayOptions&);

}  // namespace rankflow::io
