#include "io/file_system.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.hpp"

namespace rankflow::io {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  const auto folder = path.parent_path();
  return folder.empty() ? "." : folder;
}

void sync(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool done = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!done) throw InputOutputError("cannot bring '{}' to disk: {}", path.string(), std::strerror(reason));
}

/// Other reasons mean that the file system cannot tell beforehand.
bool disk_refuses(int reason) {
  return reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
}

}  // namespace

std::filesystem::path temporary_name(const std::filesystem::path& target) {
  auto name = target;
  name += ".partial";
  return name;
}

void require_possible_target(const std::filesystem::path& target) {
  std::error_code ignored;
  const auto folder = folder_of(target);
  if (target.filename().empty() || std::filesystem::is_directory(target, ignored))
    throw InputOutputError("cannot write '{}': it is a directory; give the name of a file", target.string());
  if (std::filesystem::exists(target, ignored) && !std::filesystem::is_regular_file(target, ignored))
    throw InputOutputError("cannot write '{}': it is a device, pipe or socket; give the name of a file",
                           target.string());
  if (!std::filesystem::exists(folder, ignored))
    throw InputOutputError("cannot write '{}': folder '{}' does not exist; make it first", target.string(),
                           folder.string());
  if (!std::filesystem::is_directory(folder, ignored))
    throw InputOutputError("cannot write '{}': '{}' is not a folder", target.string(), folder.string());
}

void require_space(const std::filesystem::path& path, std::uint64_t bytes) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw InputOutputError("cannot create '{}': {}", path.string(), std::strerror(errno));
  const int status = bytes > 0 ? ::fallocate(descriptor, 0, 0, static_cast<off_t>(bytes)) : 0;
  const int reason = status == 0 ? 0 : errno;
  const bool emptied = ::ftruncate(descriptor, 0) == 0;
  ::close(descriptor);
  if (!disk_refuses(reason) && emptied) return;
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  throw InputOutputError("cannot write '{}': it needs {:.3g} GB: {}; write less or to another disk", path.string(),
                         static_cast<double>(bytes) * 1e-9, std::strerror(reason));
}

void claim_blocks(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) throw InputOutputError("cannot open '{}': {}", path.string(), std::strerror(errno));
  const auto length = std::filesystem::file_size(path);
  const int status = length > 0 ? ::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(length)) : 0;
  const int reason = status == 0 ? 0 : errno;
  ::close(descriptor);
  if (disk_refuses(reason)) throw InputOutputError("cannot write '{}': {}", path.string(), std::strerror(reason));
}

void sync_to_disk(const std::filesystem::path& path) {
  sync(path, O_RDONLY);
}

void replace_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    throw InputOutputError("cannot rename '{}' to '{}': {}", from.string(), to.string(), std::strerror(errno));
  sync(folder_of(to), O_RDONLY | O_DIRECTORY);
}

}  // namespace rankflow::io
