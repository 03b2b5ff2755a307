#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "io/dataset_spec.hpp"
#include "io/hdf5_handle.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::io {

/// An HDF5 file opened by all ranks of a communicator: through MPI-IO, but without it for a single rank.
/// Every member function is collective: all ranks call it with the same arguments, except for the
/// selection and data of write_rows() and read_rows(). An error on one rank is thrown on all.
/// Paths are absolute ("/network/m"). Move only; the communicator must outlive the file.
///
/// Errors: InputDataError when the file lacks or holds something unusable; InputOutputError when the
/// file system refuses. Messages name the file, the dataset and HDF5's reason.
class File {
 public:
  enum class Mode { read, append };

  /// Makes a new file, or empties an existing one. See output_file.hpp for creation that spares an
  /// earlier result when it fails.
  static File create(const parallel::Communicator& comm, const std::filesystem::path& path);
  /// Opens an existing file.
  static File open(const parallel::Communicator& comm, const std::filesystem::path& path, Mode mode = Mode::read);

  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  /// Closes. While an exception that this file did not raise passes through on several ranks the file
  /// is left to the end of the process: closing is collective and the other ranks may be elsewhere.
  ~File();

  const parallel::Communicator& comm() const noexcept;
  /// Name for messages.
  const std::string& name() const noexcept;
  /// The name under which messages speak of the file, after it was renamed on disk.
  void rename_in_messages(const std::string& name);
  /// Hands everything to the operating system; through MPI-IO also to the disk.
  void flush();
  /// Closes and reports what the destructor cannot.
  void close();

  bool has_group(const std::string& path) const;
  bool has_dataset(const std::string& path) const;
  /// Names of the members of a group, sorted.
  std::vector<std::string> children(const std::string& group = "/") const;
  /// Paths of all datasets below a group that hold values, sorted; netCDF dimensions without
  /// coordinates do not count.
  std::vector<std::string> datasets(const std::string& group = "/") const;
  /// Throws InputDataError with the nearest name when the dataset does not exist.
  DatasetInfo info(const std::string& path) const;
  /// The same for its shape alone; costs nothing after the first time.
  const Shape& shape(const std::string& path) const;

  /// Makes the group and those above it; nothing when it exists.
  void create_group(const std::string& path);
  /// A dimension with coordinates: the 1-D dataset `path` becomes the scale of its own name.
  void create_coordinate(const std::string& path, std::span<const double> values, const std::string& units,
                         const std::string& long_name);
  /// Makes the dataset, and a netCDF dimension without coordinates for every dimension name that its
  /// group does not hold yet. Throws InternalError when a dimension exists with another length.
  void create_dataset(const DatasetSpec& spec);

  /// Sets an attribute of a group or dataset; replaces one that exists.
  void set_attribute(const std::string& object, const std::string& name, const Attribute& value);
  void set_attributes(const std::string& object, const Attributes& values);
  /// Empty when it does not exist or holds neither text nor numbers.
  std::optional<Attribute> attribute(const std::string& object, const std::string& name) const;
  Attributes attributes(const std::string& object) const;

  /// Writes the block of the dataset that begins at `offset` and has `extent`; `values` in C order,
  /// converted to the dataset's type. A rank with nothing to write passes an extent with a zero.
  /// T: float, double, int32, int64, uint8, uint16.
  template <class T>
  void write_rows(const std::string& path, const Shape& offset, const Shape& extent, std::span<const T> values);
  /// Writes the whole dataset from rank 0; the others take part with nothing.
  template <class T>
  void write_all(const std::string& path, std::span<const T> values);
  /// Makes a 1-D dataset of texts along a dimension (absolute path) that exists. For files of a single rank.
  void write_texts(const std::string& path, const std::string& dimension, std::span<const std::string> values);
  /// Reads a block, converted to T (float, double, int32, int64, uint8, uint16). Each rank its own block;
  /// none when the extent holds a zero.
  template <class T>
  void read_rows(const std::string& path, const Shape& offset, const Shape& extent, std::span<T> values) const;
  /// Reads the whole dataset on every rank.
  template <class T>
  std::vector<T> read_all(const std::string& path) const;

 private:
  struct State;
  explicit File(std::unique_ptr<State> state);
  void dispose() noexcept;
  void require_dataset(const std::string& path) const;

  std::unique_ptr<State> state_;
};

}  // namespace rankflow::io
