// Datasets of texts, in files that one process writes.
#include "io/hdf5_state.hpp"

namespace rankflow::io {
namespace {

/// Variable length, as netCDF-4 has it: h5py and xarray give it back as str.
Hdf5Handle text_of_any_length() {
  auto type = type_handle(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

}  // namespace

void File::write_texts(const std::string& path, const std::string& dimension, std::span<const std::string> values) {
  if (comm().size() > 1) throw InternalError("texts of '{}' in a file of several ranks", path);
  const auto scale = dataset_handle(H5Dopen2(state_->file.get(), dimension.c_str(), H5P_DEFAULT));
  const auto type = text_of_any_length();
  const hsize_t length = values.size();
  const auto space = space_handle(H5Screate_simple(1, &length, nullptr));
  const auto properties = property_handle(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(properties.get(), 0);
  const auto dataset = dataset_handle(H5Dcreate2(state_->file.get(), path.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                                 properties.get(), H5P_DEFAULT));
  std::vector<const char*> pointers;
  for (const auto& value : values) pointers.push_back(value.c_str());
  const bool written = scale.valid() && dataset.valid() &&
                       H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()) >= 0 &&
                       H5DSattach_scale(dataset.get(), scale.get(), 0) >= 0;
  if (!written) throw InputOutputError("cannot write the texts '{}' into '{}': {}", path, state_->name, hdf5_reason());
}

}  // namespace rankflow::io
