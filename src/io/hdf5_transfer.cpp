// Moves blocks of values between memory and datasets, collectively.
#include <algorithm>

#include "io/hdf5_state.hpp"

namespace rankflow::io {
namespace {

struct Selection {
  Hdf5Handle memory;
  Hdf5Handle file;
};

Selection select(const OpenDataset& dataset, const Shape& offset, const Shape& extent) {
  const std::vector<hsize_t> start(offset.begin(), offset.end());
  const std::vector<hsize_t> count(extent.begin(), extent.end());
  Selection selection;
  selection.file = space_handle(H5Dget_space(dataset.id.get()));
  const bool empty = extent.size() != dataset.shape.size() || count_of(extent) == 0;
  // Memory of the same shape as the block: HDF5 maps other shapes onto chunks value by value.
  const hsize_t nothing = 1;
  if (empty || count.empty()) {
    selection.memory = space_handle(H5Screate_simple(1, &nothing, nullptr));
  } else {
    selection.memory = space_handle(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr));
  }
  if (empty) {
    H5Sselect_none(selection.file.get());
    H5Sselect_none(selection.memory.get());
  } else if (!start.empty()) {
    H5Sselect_hyperslab(selection.file.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  }
  return selection;
}

bool lies_inside(const OpenDataset& dataset, const Shape& offset, const Shape& extent, std::size_t values) {
  bool fits =
      offset.size() == dataset.shape.size() && extent.size() == dataset.shape.size() && values == count_of(extent);
  for (std::size_t axis = 0; fits && values > 0 && axis < extent.size(); ++axis)
    fits = offset[axis] + extent[axis] <= dataset.shape[axis];
  return fits;
}

[[noreturn]] void throw_outside(const std::string& path, const OpenDataset& dataset, const Shape& offset,
                                const Shape& extent, std::size_t values) {
  throw InternalError("block of {} values at {} with extent {} does not lie in dataset '{}' {}", values,
                      text_of(offset), text_of(extent), path, text_of(dataset.shape));
}

void require_numbers(const std::string& file, const std::string& path, Type type) {
  if (type == Type::text || type == Type::other)
    throw InputDataError("dataset '{}' in file '{}' holds {}; numbers are needed", path, file, name_of(type));
}

template <class To, class From>
std::vector<To> converted(std::span<const From> values) {
  std::vector<To> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), [](From value) { return static_cast<To>(value); });
  return result;
}

/// Floating-point values are brought to the file's precision here: HDF5 refuses to convert in
/// collective writes of checksummed chunks, and falls back to independent writes of others.
template <class T>
herr_t write_converted(const OpenDataset& dataset, const Selection& selection, hid_t transfer,
                       std::span<const T> values) {
  const auto put = [&](hid_t type, const void* data) {
    return H5Dwrite(dataset.id.get(), type, selection.memory.get(), selection.file.get(), transfer, data);
  };
  if (std::is_same_v<T, double> && dataset.type == Type::f32) {
    const auto narrow = converted<float>(values);
    return put(H5T_NATIVE_FLOAT, narrow.data());
  }
  if (std::is_same_v<T, float> && dataset.type == Type::f64) {
    const auto wide = converted<double>(values);
    return put(H5T_NATIVE_DOUBLE, wide.data());
  }
  return put(memory_type_id<T>(), values.data());
}

}  // namespace

template <class T>
void File::write_rows(const std::string& path, const Shape& offset, const Shape& extent, std::span<const T> values) {
  const auto& dataset = state_->dataset(path);
  state_->together([&] {
    // A rank with a wrong block takes part with nothing: the others are in the collective write already.
    const bool inside = lies_inside(dataset, offset, extent, values.size());
    const auto selection = select(dataset, offset, inside ? extent : Shape(offset.size(), 0));
    const auto status = write_converted(dataset, selection, state_->transfer.get(), values);
    if (!inside) throw_outside(path, dataset, offset, extent, values.size());
    if (status < 0)
      throw InputOutputError("cannot write {} at {} of dataset '{}' in '{}': {}", text_of(extent), text_of(offset),
                             path, state_->name, hdf5_reason());
  });
}

template <class T>
void File::write_all(const std::string& path, std::span<const T> values) {
  const auto& shape = state_->dataset(path).shape;
  if (comm().is_root() || shape.empty()) {
    write_rows(path, Shape(shape.size(), 0), shape, values);
  } else {
    write_rows(path, Shape(shape.size(), 0), Shape(shape.size(), 0), std::span<const T>());
  }
}

template <class T>
void File::read_rows(const std::string& path, const Shape& offset, const Shape& extent, std::span<T> values) const {
  const auto& dataset = state_->dataset(path);
  require_numbers(state_->name, path, dataset.type);
  state_->together([&] {
    const bool inside = lies_inside(dataset, offset, extent, values.size());
    const auto selection = select(dataset, offset, inside ? extent : Shape(offset.size(), 0));
    const auto status = H5Dread(dataset.id.get(), memory_type_id<T>(), selection.memory.get(), selection.file.get(),
                                state_->transfer.get(), values.data());
    if (!inside) throw_outside(path, dataset, offset, extent, values.size());
    if (status < 0)
      throw InputDataError("dataset '{}' in file '{}' cannot be read, the file may be damaged: {}", path, state_->name,
                           hdf5_reason());
  });
}

template <class T>
std::vector<T> File::read_all(const std::string& path) const {
  const auto& shape = this->shape(path);
  std::vector<T> values(count_of(shape));
  read_rows(path, Shape(shape.size(), 0), shape, std::span<T>(values));
  return values;
}

#define RANKFLOW_INSTANTIATE(T)                                                                          \
  template void File::write_rows<T>(const std::string&, const Shape&, const Shape&, std::span<const T>); \
  template void File::write_all<T>(const std::string&, std::span<const T>);                              \
  template void File::read_rows<T>(const std::string&, const Shape&, const Shape&, std::span<T>) const;  \
  template std::vector<T> File::read_all<T>(const std::string&) const;
RANKFLOW_INSTANTIATE(float)
RANKFLOW_INSTANTIATE(double)
RANKFLOW_INSTANTIATE(std::int32_t)
RANKFLOW_INSTANTIATE(std::int64_t)
RANKFLOW_INSTANTIATE(std::uint8_t)
RANKFLOW_INSTANTIATE(std::uint16_t)
#undef RANKFLOW_INSTANTIATE

}  // namespace rankflow::io
