// Files and members of archives as sources of bytes.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "core/error.hpp"
#include "core/suggestion.hpp"
#include "io/npy.hpp"

namespace rankflow::io {
namespace {

class FileBytes final : public ByteSource {
 public:
  explicit FileBytes(const std::filesystem::path& path) : name_(path.string()) {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (descriptor_ >= 0 && ::fstat(descriptor_, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
    if (descriptor_ >= 0) return;
    if (errno == ENOENT) throw InputDataError("file '{}' does not exist; check the path", name_);
    throw InputOutputError("cannot open '{}': {}", name_, std::strerror(errno));
  }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes() override { ::close(descriptor_); }

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, std::span<std::byte> bytes) const override {
    for (std::size_t done = 0; done < bytes.size();) {
      const auto got =
          ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0)
        throw InputOutputError("cannot read '{}': {}", name_, got == 0 ? "it ends too early" : std::strerror(errno));
      done += static_cast<std::size_t>(got);
    }
  }

 private:
  std::string name_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

class MemoryBytes final : public ByteSource {
 public:
  explicit MemoryBytes(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> bytes) const override {
    if (offset + bytes.size() > bytes_.size()) throw InternalError("read past the end of an archive member");
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), bytes.size(), bytes.begin());
  }

 private:
  std::vector<std::byte> bytes_;
};

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;

Archive open_archive(const std::filesystem::path& path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (code == ZIP_ER_NOENT) throw InputDataError("file '{}' does not exist; check the path", path.string());
  throw InputDataError("'{}' cannot be read as a .npz archive: {}", path.string(), reason);
}

std::vector<std::string> members_of(zip_t* archive) {
  constexpr std::string_view suffix = ".npy";
  std::vector<std::string> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    std::string name = zip_get_name(archive, static_cast<zip_uint64_t>(i), 0);
    if (name.ends_with(suffix)) names.push_back(name.substr(0, name.size() - suffix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const std::filesystem::path& path) {
  return std::make_unique<FileBytes>(path);
}

std::vector<std::string> npz_members(const std::filesystem::path& path) {
  return members_of(open_archive(path).get());
}

std::unique_ptr<ByteSource> open_npz_member(const std::filesystem::path& path, const std::string& name) {
  const auto archive = open_archive(path);
  const auto entry = name + ".npy";
  zip_stat_t status;
  if (zip_stat(archive.get(), entry.c_str(), 0, &status) != 0) {
    const auto known = members_of(archive.get());
    throw InputDataError("archive '{}' has no array '{}'.{} It holds: {}", path.string(), name,
                         did_you_mean(name, known), fmt::join(known, ", "));
  }
  std::vector<std::byte> bytes(status.size);
  const std::unique_ptr<zip_file_t, CloseMember> member(zip_fopen(archive.get(), entry.c_str(), 0));
  std::size_t done = 0;
  while (member && done < bytes.size()) {
    const auto got = zip_fread(member.get(), bytes.data() + done, bytes.size() - done);
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  if (!member || done < bytes.size())
    throw InputDataError("array '{}' of archive '{}' cannot be unpacked: {}", name, path.string(),
                         zip_strerror(archive.get()));
  return std::make_unique<MemoryBytes>(std::move(bytes));
}

}  // namespace rankflow::io
