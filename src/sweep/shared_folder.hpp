#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rankflow::sweep {

/// Contents of a file and when it was last touched, by the file system's clock.
struct Snapshot {
  std::string text;
  double modified = 0;  ///< s since 1970
};

/// The few operations on a folder that are atomic on every file system many computers share. Counts what it asks of
/// the metadata server. Thread-safe. Throws InputOutputError when the file system refuses.
class SharedFolder {
 public:
  explicit SharedFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& path() const noexcept { return folder_; }
  /// Makes a file that was not there; false when it was. The text follows: a reader may find it missing or incomplete.
  bool create(const std::string& name, std::string_view text);
  /// Makes a file that was not there, complete from its first moment and on disk; false when it was.
  bool publish(const std::string& name, std::string_view text);
  bool exists(const std::string& name) const;
  /// Nothing when there is no such file. Opens the file, which on NFS is what brings its times up to date.
  std::optional<Snapshot> read(const std::string& name) const;
  /// Sets the time of modification to the file system's present; false when there is no such file.
  bool touch(const std::string& name) const;
  /// The file system's present, s since 1970: this computer's clock may differ.
  double now();
  /// Names in one folder of this one, in no order; none when there is no such folder.
  void list(const std::string& subfolder, const std::function<void(std::string_view)>& visit) const;

  std::int64_t operations() const noexcept { return operations_; }

 private:
  std::filesystem::path full(const std::string& name) const { return folder_ / name; }
  void count(std::int64_t operations = 1) const noexcept { operations_ += operations; }
  int open_new(const std::string& name);
  void fill(int number, const std::string& name, std::string_view text, bool to_disk);

  std::filesystem::path folder_;
  mutable std::atomic<std::int64_t> operations_ = 0;
  std::atomic<std::int64_t> asides_ = 0;  ///< files made under a name of their own so far
};

}  // namespace rankflow::sweep
