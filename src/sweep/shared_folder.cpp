#include "sweep/shared_folder.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "io/file_system.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::size_t block = 4096;
constexpr std::int64_t names_per_request = 512;  ///< what one READDIR over NFS returns, about

[[noreturn]] void refuse(const char* what, const std::filesystem::path& path, int reason) {
  throw InputOutputError("cannot {} '{}': {}", what, path.string(), std::strerror(reason));
}

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  explicit operator bool() const noexcept { return number_ >= 0; }
  int number() const noexcept { return number_; }
  /// Errors of a delayed write are told here.
  bool close() noexcept { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

void write_all(Descriptor& file, std::string_view text, bool to_disk, const std::filesystem::path& path) {
  while (!text.empty()) {
    const auto written = ::write(file.number(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (to_disk && ::fsync(file.number()) != 0) refuse("bring to disk", path, errno);
  if (!file.close()) refuse("write", path, errno);
}

double seconds_of(const timespec& time) {
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The file system has no second names for a file.
bool no_links(int reason) {
  return reason == EPERM || reason == EOPNOTSUPP || reason == ENOSYS || reason == EMLINK;
}

}  // namespace

int SharedFolder::open_new(const std::string& name) {
  const auto path = full(name);
  count();
  int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (number < 0 && errno == ENOENT) {  // its folder is made on first use: small sweeps need few
    std::error_code ignored;
    count(2);
    std::filesystem::create_directories(path.parent_path(), ignored);
    number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  return number;
}

/// On a full disk a name can be made that no text fits in: it goes again, before it means anything to others.
void SharedFolder::fill(int number, const std::string& name, std::string_view text, bool to_disk) {
  Descriptor file(number);
  if (!file) refuse("create", full(name), errno);
  try {
    write_all(file, text, to_disk, full(name));
  } catch (const InputOutputError&) {
    ::unlink(full(name).c_str());
    throw;
  }
}

bool SharedFolder::create(const std::string& name, std::string_view text) {
  const int number = open_new(name);
  if (number < 0 && errno == EEXIST) return false;
  fill(number, name, text, false);
  return true;
}

bool SharedFolder::publish(const std::string& name, std::string_view text) {
  if (exists(name)) return false;
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string aside;
  int number = -1;
  do {  // a name of its own for each thread, and none that a killed process of our number left
    aside = fmt::format("{}.{}.{}.{}.partial", name, host.data(), ::getpid(), ++asides_);
    number = open_new(aside);
  } while (number < 0 && errno == EEXIST);
  fill(number, aside, text, true);
  count(3);
  int status = ::link(full(aside).c_str(), full(name).c_str());
  int reason = errno;
  struct stat about {};
  // Over NFS the answer may be lost and the repeated request then finds our own link.
  if (status != 0 && reason == EEXIST && ::stat(full(aside).c_str(), &about) == 0 && about.st_nlink == 2) status = 0;
  if (status != 0 && no_links(reason)) {
    if ((status = ::rename(full(aside).c_str(), full(name).c_str())) == 0) return true;
    reason = errno;
  }
  ::unlink(full(aside).c_str());
  if (status != 0 && reason != EEXIST) refuse("create", full(name), reason);
  return status == 0;
}

bool SharedFolder::exists(const std::string& name) const {
  count();
  struct stat about {};
  if (::stat(full(name).c_str(), &about) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) refuse("look at", full(name), errno);
  return false;
}

std::optional<Snapshot> SharedFolder::read(const std::string& name) const {
  count(2);
  const Descriptor file(::open(full(name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  struct stat about {};
  if (!file || ::fstat(file.number(), &about) != 0) refuse("read", full(name), errno);
  Snapshot found{.text = {}, .modified = seconds_of(about.st_mtim)};
  std::array<char, block> buffer{};
  while (true) {
    const auto length = ::read(file.number(), buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) refuse("read", full(name), errno);
    if (length == 0) return found;
    found.text.append(buffer.data(), static_cast<std::size_t>(length));
  }
}

bool SharedFolder::touch(const std::string& name) const {
  count();
  if (::utimensat(AT_FDCWD, full(name).c_str(), nullptr, 0) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) refuse("touch", full(name), errno);
  return false;
}

double SharedFolder::now() {
  static constexpr const char* name = "clock";  // anybody's touch sets it to the present, so one serves all
  if (!touch(name) && create(name, "")) touch(name);
  struct stat about {};
  count();
  if (::stat(full(name).c_str(), &about) != 0) refuse("look at", full(name), errno);
  return seconds_of(about.st_mtim);
}

void SharedFolder::list(const std::string& subfolder, const std::function<void(std::string_view)>& visit) const {
  const auto path = subfolder.empty() ? folder_ : full(subfolder);
  count(2);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder && errno == ENOENT) return;
  if (!folder) refuse("list", path, errno);
  std::int64_t names = 0;
  errno = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (++names % names_per_request == 0) count();
    if (entry->d_name[0] != '.') visit(entry->d_name);
    errno = 0;
  }
  if (errno != 0) refuse("list", path, errno);
}

}  // namespace rankflow::sweep
