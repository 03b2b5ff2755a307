#pragma once
// For the .cpp files of this layer only: the one place where the HDF5 headers come in.
#include <string>
#include <type_traits>

#include <hdf5.h>
#include <hdf5_hl.h>

#include "io/hdf5_file.hpp"
#include "io/hdf5_handle.hpp"

namespace rankflow::io {

static_assert(std::is_same_v<hid_t, std::int64_t> && std::is_same_v<herr_t, int>);

/// HDF5 prints its error stack by itself unless told otherwise; we turn it into exceptions.
void silence_hdf5();
/// The innermost description on HDF5's error stack ("No space left on device" …); clears the stack.
std::string hdf5_reason();

inline Hdf5Handle file_handle(hid_t id) {
  return {id, &H5Fclose};
}
inline Hdf5Handle object_handle(hid_t id) {
  return {id, &H5Oclose};
}
inline Hdf5Handle group_handle(hid_t id) {
  return {id, &H5Gclose};
}
inline Hdf5Handle dataset_handle(hid_t id) {
  return {id, &H5Dclose};
}
inline Hdf5Handle space_handle(hid_t id) {
  return {id, &H5Sclose};
}
inline Hdf5Handle type_handle(hid_t id) {
  return {id, &H5Tclose};
}
inline Hdf5Handle attribute_handle(hid_t id) {
  return {id, &H5Aclose};
}
inline Hdf5Handle property_handle(hid_t id) {
  return {id, &H5Pclose};
}

/// HDF5's type of a dataset in a file (little endian).
hid_t file_type_id(Type type);
/// HDF5's type of a C++ number in memory.
template <class T>
hid_t memory_type_id();
/// Our name for a type found in a file.
Type type_of(hid_t type);

}  // namespace rankflow::io
