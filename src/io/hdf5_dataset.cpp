// Creation of datasets and of the dimension scales that name their axes.
#include <array>
#include <limits>
#include <numeric>

#include "io/hdf5_state.hpp"
#include "io/netcdf_convention.hpp"

namespace rankflow::io {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string sibling(const std::string& path, const std::string& name) {
  const auto parent = parent_of(path);
  return (parent == "/" ? "" : parent) + "/" + name;
}

Hdf5Handle link_properties() {
  auto links = property_handle(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links.get(), 1);
  return links;
}

void set_fill_value(hid_t properties, const DatasetSpec& spec) {
  if (!spec.fill) {
    H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER);
    return;
  }
  H5Pset_fill_time(properties, H5D_FILL_TIME_ALLOC);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (spec.type == Type::f32 || spec.type == Type::f64) H5Pset_fill_value(properties, H5T_NATIVE_DOUBLE, &nan);
}

Hdf5Handle creation_properties(const DatasetSpec& spec) {
  auto properties = property_handle(H5Pcreate(H5P_DATASET_CREATE));
  // Equal runs shall give equal bytes.
  H5Pset_obj_track_times(properties.get(), 0);
  H5Pset_alloc_time(properties.get(), H5D_ALLOC_TIME_EARLY);
  set_fill_value(properties.get(), spec);
  const auto chunk = spec.chunk.empty() ? default_chunk(spec.shape, spec.type) : spec.chunk;
  const bool in_one_piece = !spec.checksum && spec.chunk.empty() && count_of(spec.shape) <= count_of(chunk);
  if (spec.shape.empty() || count_of(spec.shape) == 0 || in_one_piece) return properties;
  const std::vector<hsize_t> extents(chunk.begin(), chunk.end());
  H5Pset_chunk(properties.get(), static_cast<int>(extents.size()), extents.data());
  if (spec.checksum) H5Pset_fletcher32(properties.get());
  return properties;
}

Hdf5Handle make_dataset(hid_t file, const DatasetSpec& spec) {
  const std::vector<hsize_t> extents(spec.shape.begin(), spec.shape.end());
  const auto space =
      space_handle(extents.empty() ? H5Screate(H5S_SCALAR)
                                   : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
  const auto properties = creation_properties(spec);
  const auto links = link_properties();
  return dataset_handle(H5Dcreate2(file, spec.path.c_str(), file_type_id(spec.type), space.get(), links.get(),
                                   properties.get(), H5P_DEFAULT));
}

void make_bare_dimension(hid_t file, const std::string& path, std::uint64_t length) {
  // One byte per entry. Filled with 0: what nobody writes may hold bytes of other data sets after collective writing.
  const auto scale = make_dataset(file, {.path = path, .shape = {length}, .dimensions = {}, .type = Type::u8});
  const auto label = fmt::format("{}{:10d}", bare_dimension_label, length);
  if (!scale.valid() || H5DSset_scale(scale.get(), label.c_str()) < 0)
    throw InputOutputError("cannot make dimension '{}' of {} entries: {}", path, length, hdf5_reason());
}

std::uint64_t length_of(hid_t dataset) {
  const auto space = space_handle(H5Dget_space(dataset));
  return static_cast<std::uint64_t>(H5Sget_simple_extent_npoints(space.get()));
}

void attach_dimensions(hid_t file, hid_t dataset, const DatasetSpec& spec) {
  for (unsigned axis = 0; axis < spec.dimensions.size(); ++axis) {
    const auto path = sibling(spec.path, spec.dimensions[axis]);
    if (path == spec.path) throw InternalError("'{}' cannot be its own dimension; use create_coordinate()", path);
    if (!path_exists(file, path)) make_bare_dimension(file, path, spec.shape[axis]);
    const auto scale = dataset_handle(H5Dopen2(file, path.c_str(), H5P_DEFAULT));
    if (!scale.valid() || length_of(scale.get()) != spec.shape[axis])
      throw InternalError("dimension '{}' of dataset '{}' has {} entries, the dataset has {}", path, spec.path,
                          scale.valid() ? length_of(scale.get()) : 0, spec.shape[axis]);
    if (H5DSattach_scale(dataset, scale.get(), axis) < 0)
      throw InputOutputError("cannot attach dimension '{}' to '{}': {}", path, spec.path, hdf5_reason());
  }
}

herr_t keep_scale_name(hid_t, unsigned, hid_t scale, void* target) {
  std::array<char, 1024> path{};
  H5Iget_name(scale, path.data(), path.size());
  const std::string text(path.data());
  *static_cast<std::string*>(target) = text.substr(text.rfind('/') + 1);
  return 1;
}

}  // namespace

std::string dimension_name(std::int64_t dataset, unsigned axis) {
  std::string name;
  int first = 0;
  H5DSiterate_scales(dataset, axis, &first, &keep_scale_name, &name);
  H5Eclear2(H5E_DEFAULT);
  return name;
}

bool has_checksum(std::int64_t dataset) {
  const auto properties = property_handle(H5Dget_create_plist(dataset));
  for (int filter = 0; filter < H5Pget_nfilters(properties.get()); ++filter) {
    unsigned flags = 0;
    std::size_t values = 0;
    if (H5Pget_filter2(properties.get(), static_cast<unsigned>(filter), &flags, &values, nullptr, 0, nullptr,
                       nullptr) == H5Z_FILTER_FLETCHER32)
      return true;
  }
  return false;
}

void File::create_group(const std::string& path) {
  state_->together([&] {
    if (path_exists(state_->file.get(), path)) return;
    const auto links = link_properties();
    const auto group =
        group_handle(H5Gcreate2(state_->file.get(), path.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT));
    if (!group.valid()) throw InputOutputError("cannot make group '{}' in '{}': {}", path, state_->name, hdf5_reason());
  });
}

void File::create_dataset(const DatasetSpec& spec) {
  if (!spec.dimensions.empty() && spec.dimensions.size() != spec.shape.size())
    throw InternalError("dataset '{}' has {} axes and {} names for them", spec.path, spec.shape.size(),
                        spec.dimensions.size());
  state_->together([&] {
    const auto dataset = make_dataset(state_->file.get(), spec);
    if (!dataset.valid())
      throw InputOutputError("cannot make dataset '{}' {} in '{}': {}", spec.path, text_of(spec.shape), state_->name,
                             hdf5_reason());
    attach_dimensions(state_->file.get(), dataset.get(), spec);
  });
  if (!spec.units.empty()) set_attribute(spec.path, "units", spec.units);
  if (!spec.long_name.empty()) set_attribute(spec.path, "long_name", spec.long_name);
}

void File::create_coordinate(const std::string& path, std::span<const double> values, const std::string& units,
                             const std::string& long_name) {
  create_dataset({.path = path,
                  .shape = {values.size()},
                  .dimensions = {},
                  .units = units,
                  .long_name = long_name,
                  .fill = false});
  write_all(path, values);
  state_->together([&] {
    const auto name = path.substr(path.rfind('/') + 1);
    if (H5DSset_scale(state_->dataset(path).id.get(), name.c_str()) < 0)
      throw InputOutputError("cannot make '{}' a dimension of '{}': {}", path, state_->name, hdf5_reason());
  });
}

OpenDataset& File::State::dataset(const std::string& path) {
  if (const auto found = open.find(path); found != open.end()) return found->second;
  if (!path_exists(file.get(), path)) throw InputDataError("file '{}' has no dataset '{}'", name, path);
  OpenDataset dataset;
  dataset.id = dataset_handle(H5Dopen2(file.get(), path.c_str(), H5P_DEFAULT));
  if (!dataset.id.valid())
    throw InputDataError("'{}' in file '{}' cannot be opened as a dataset: {}", path, name, hdf5_reason());
  const auto space = space_handle(H5Dget_space(dataset.id.get()));
  std::vector<hsize_t> extents(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space.get()))));
  H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr);
  dataset.shape.assign(extents.begin(), extents.end());
  dataset.type = type_of(type_handle(H5Dget_type(dataset.id.get())).get());
  return open.emplace(path, std::move(dataset)).first->second;
}

}  // namespace rankflow::io
