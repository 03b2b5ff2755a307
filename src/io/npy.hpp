#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/dataset_spec.hpp"

namespace rankflow::io {

/// What the head of a .npy file says (NumPy Enhancement Proposal 1, versions 1 and 2).
struct NpyHeader {
  Type type = Type::f64;
  bool fortran_order = false;
  Shape shape;
  std::uint64_t data_offset = 0;  ///< bytes before the first value
};

/// Bytes that can be read anywhere: a file, or a member of an archive held in memory.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  /// Throws InputOutputError when the file system fails, InternalError past the end.
  virtual void read(std::uint64_t offset, std::span<std::byte> bytes) const = 0;
};

/// A file on disk. Throws InputDataError when it does not exist, InputOutputError when it cannot be opened.
std::unique_ptr<ByteSource> open_bytes(const std::filesystem::path& path);
/// The member `name` (as in "m", without ".npy") of a .npz archive, unpacked whole. Throws InputDataError with
/// the list of members when it does not exist.
std::unique_ptr<ByteSource> open_npz_member(const std::filesystem::path& path, const std::string& name);
/// Names of the arrays in a .npz archive.
std::vector<std::string> npz_members(const std::filesystem::path& path);

/// Reads the header and checks that the data are all there. Types: '<f4', '<f8', '<i4', '<i8', '|u1', '|b1'.
/// `what` names the array in messages. Throws InputDataError.
NpyHeader read_npy_header(const ByteSource& source, const std::string& what);

/// Reads `values.size()` values from value number `first` on (order of the file), converted to double.
void read_npy_values(const ByteSource& source, const NpyHeader& header, std::uint64_t first, std::span<double> values);

}  // namespace rankflow::io
