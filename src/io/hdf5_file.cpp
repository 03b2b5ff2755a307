#include "io/hdf5_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "core/suggestion.hpp"
#include "io/hdf5_state.hpp"
#include "io/netcdf_convention.hpp"

#include <fmt/ranges.h>

namespace rankflow::io {
namespace {

Hdf5Handle access_properties(const parallel::Communicator& comm) {
  auto access = property_handle(H5Pcreate(H5P_FILE_ACCESS));
  // A file system without locks (some NFS) is no reason to refuse work.
  H5Pset_file_locking(access.get(), 1, 1);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  // Rows go straight to the file: what was written survives a kill.
  H5Pset_cache(access.get(), 0, 521, 0, 0.75);
  H5Pset_sieve_buf_size(access.get(), 0);
  if (comm.size() > 1) {
    H5Pset_fapl_mpio(access.get(), comm.handle(), MPI_INFO_NULL);
    H5Pset_coll_metadata_write(access.get(), 1);
    H5Pset_all_coll_metadata_ops(access.get(), 1);
  }
  return access;
}

Hdf5Handle transfer_properties(const parallel::Communicator& comm) {
  auto transfer = property_handle(H5Pcreate(H5P_DATASET_XFER));
  if (comm.size() > 1) H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
  return transfer;
}

/// HDF5's reasons for a file that cannot be opened are obscure; the operating system's are not.
void require_openable(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (descriptor >= 0) {
    ::close(descriptor);
    return;
  }
  const int reason = errno;
  if (reason == ENOENT && (flags & O_CREAT) == 0)
    throw InputDataError("file '{}' does not exist; check the path (relative paths start at {})", path.string(),
                         std::filesystem::current_path().string());
  throw InputOutputError("cannot {} '{}': {}", (flags & O_CREAT) != 0 ? "create" : "open", path.string(),
                         std::strerror(reason));
}

void require_hdf5(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path))
    throw InputDataError("'{}' is a directory; an HDF5 file is needed", path.string());
  require_openable(path, O_RDONLY);
  silence_hdf5();
  if (H5Fis_hdf5(path.c_str()) <= 0)
    throw InputDataError("'{}' is not an HDF5 file (its signature is missing); it may be damaged or of another format",
                         path.string());
}

}  // namespace

bool path_exists(hid_t file, const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const auto part = path.substr(0, end);
    if (part != "/" && H5Lexists(file, part.c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return H5Oexists_by_name(file, path.c_str(), H5P_DEFAULT) > 0;
  }
}

File::File(std::unique_ptr<State> state) : state_(std::move(state)) {}
File::File(File&&) noexcept = default;

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    dispose();
    state_ = std::move(other.state_);
  }
  return *this;
}

File::~File() {
  dispose();
}

void File::dispose() noexcept {
  if (!state_) return;
  const bool unwinding = std::uncaught_exceptions() > state_->exceptions_at_start;
  if (unwinding && state_->comm->size() > 1 && !state_->failed_together) {
    for (auto& [path, dataset] : state_->open) dataset.id.release();
    state_->file.release();
  }
  state_.reset();
}

File File::create(const parallel::Communicator& comm, const std::filesystem::path& path) {
  silence_hdf5();
  auto state = std::make_unique<State>();
  state->comm = &comm;
  state->name = path.string();
  on_root(comm, [&] { require_openable(path, O_RDWR | O_CREAT); });
  state->together([&] {
    const auto access = access_properties(comm);
    state->file = file_handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
    if (!state->file.valid()) throw InputOutputError("cannot create '{}': {}", state->name, hdf5_reason());
    state->transfer = transfer_properties(comm);
  });
  return File(std::move(state));
}

File File::open(const parallel::Communicator& comm, const std::filesystem::path& path, Mode mode) {
  silence_hdf5();
  auto state = std::make_unique<State>();
  state->comm = &comm;
  state->name = path.string();
  on_root(comm, [&] {
    require_hdf5(path);
    if (mode == Mode::append) require_openable(path, O_RDWR);
  });
  state->together([&] {
    const auto access = access_properties(comm);
    const unsigned flags = mode == Mode::append ? H5F_ACC_RDWR : H5F_ACC_RDONLY;
    state->file = file_handle(H5Fopen(path.c_str(), flags, access.get()));
    if (!state->file.valid())
      throw InputDataError("'{}' is an HDF5 file but cannot be opened: {}", state->name, hdf5_reason());
    state->transfer = transfer_properties(comm);
  });
  return File(std::move(state));
}

const parallel::Communicator& File::comm() const noexcept {
  return *state_->comm;
}
const std::string& File::name() const noexcept {
  return state_->name;
}
void File::rename_in_messages(const std::string& name) {
  state_->name = name;
}

void File::flush() {
  state_->together([&] {
    if (H5Fflush(state_->file.get(), H5F_SCOPE_GLOBAL) < 0)
      throw InputOutputError("cannot write '{}' to disk: {}", state_->name, hdf5_reason());
  });
}

void File::close() {
  state_->together([&] {
    state_->open.clear();
    if (state_->file.close() < 0) throw InputOutputError("cannot close '{}': {}", state_->name, hdf5_reason());
  });
}

Hdf5Handle File::State::object(const std::string& path) const {
  auto handle = object_handle(path_exists(file.get(), path) ? H5Oopen(file.get(), path.c_str(), H5P_DEFAULT) : -1);
  if (!handle.valid()) throw InputDataError("file '{}' has no object '{}'", name, path);
  return handle;
}

namespace {

bool has_object(hid_t file, const std::string& path, H5O_type_t wanted) {
  if (path.empty() || !path_exists(file, path)) return false;
  H5O_info_t found;
  return H5Oget_info_by_name2(file, path.c_str(), &found, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 && found.type == wanted;
}

herr_t append_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

bool is_bare_dimension(hid_t file, const std::string& path) {
  const auto dataset = dataset_handle(H5Dopen2(file, path.c_str(), H5P_DEFAULT));
  std::string label(sizeof(bare_dimension_label) + 16, '\0');
  const auto length = H5DSget_scale_name(dataset.get(), label.data(), label.size());
  H5Eclear2(H5E_DEFAULT);
  return length > 0 && label.starts_with(bare_dimension_label);
}

}  // namespace

bool File::has_group(const std::string& path) const {
  return path == "/" || has_object(state_->file.get(), path, H5O_TYPE_GROUP);
}

bool File::has_dataset(const std::string& path) const {
  return has_object(state_->file.get(), path, H5O_TYPE_DATASET);
}

std::vector<std::string> File::children(const std::string& group) const {
  std::vector<std::string> names;
  const auto parent = state_->object(group);
  H5Literate(parent.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, &append_name, &names);
  return names;
}

std::vector<std::string> File::datasets(const std::string& group) const {
  std::vector<std::string> found;
  const std::string prefix = group == "/" ? "/" : group + "/";
  for (const auto& child : children(group)) {
    const auto path = prefix + child;
    if (has_group(path)) {
      const auto below = datasets(path);
      found.insert(found.end(), below.begin(), below.end());
    } else if (has_dataset(path) && !is_bare_dimension(state_->file.get(), path)) {
      found.push_back(path);
    }
  }
  return found;
}

const Shape& File::shape(const std::string& path) const {
  if (!state_->open.contains(path)) require_dataset(path);
  return state_->dataset(path).shape;
}

void File::require_dataset(const std::string& path) const {
  if (!has_dataset(path)) {
    const auto known = datasets();
    throw InputDataError("file '{}' has no dataset '{}'.{} It holds: {}", state_->name, path, did_you_mean(path, known),
                         known.empty() ? "no datasets" : fmt::format("{}", fmt::join(known, ", ")));
  }
}

DatasetInfo File::info(const std::string& path) const {
  require_dataset(path);
  const auto& dataset = state_->dataset(path);
  DatasetInfo info{path, dataset.shape, dataset.type, {}, {}, {}, has_checksum(dataset.id.get())};
  for (std::size_t axis = 0; axis < info.shape.size(); ++axis)
    info.dimensions.push_back(dimension_name(dataset.id.get(), static_cast<unsigned>(axis)));
  const auto text = [&](const char* name) {
    const auto value = attribute(path, name);
    return value && std::holds_alternative<std::string>(*value) ? std::get<std::string>(*value) : std::string();
  };
  info.units = text("units");
  info.long_name = text("long_name");
  return info;
}

}  // namespace rankflow::io
