#pragma once
#include <chrono>
#include <filesystem>

#include "io/agreement.hpp"
#include "io/hdf5_file.hpp"
#include "io/provenance.hpp"

namespace rankflow::io {

/// A result under way. It is made under a temporary name in the target's folder and takes the target's
/// name by publish(): a bad start never destroys an earlier result. A file that was not published is
/// removed by the destructor. All functions are collective.
class OutputFile {
 public:
  /// `bytes`: what will be written at least. Throws InputOutputError when the target cannot be written or the
  /// file system has no room for it.
  static OutputFile create(const parallel::Communicator& comm, const std::filesystem::path& target, FileType type,
                           const Provenance& provenance, std::uint64_t bytes = 0);
  /// Opens an existing file of this type to go on writing; its status becomes "running" again and
  /// /provenance takes the present ranks and host.
  static OutputFile reopen(const parallel::Communicator& comm, const std::filesystem::path& target, FileType type);

  OutputFile(OutputFile&&) = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  File& file() noexcept { return file_; }
  const File& file() const noexcept { return file_; }
  /// Brings everything to disk and gives the file its name; later calls only flush.
  void publish();
  /// Records end time, wall time and status, publishes and closes. Nothing may be written afterwards.
  void finish(Status status = Status::complete);
  /// Records status "failed" with the first line of rank 0's `message` and closes; false, with nothing done, when
  /// not every rank calls this within `patience` seconds: a rank that failed alone must not wait for the others.
  /// After false the file's communicator must not be used again.
  bool fail(const std::string& message, double patience = patience_seconds);

 private:
  OutputFile(File file, std::filesystem::path target, bool published);

  void record_end(Status status);

  File file_;
  std::filesystem::path target_;
  bool published_ = false;
  double earlier_seconds_ = 0;  ///< wall time of the sessions before a resume
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace rankflow::io
