#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/submit_options.hpp"

namespace rankflow::sweep {

/// What is to be spread over jobs of SLURM.
struct Extent {
  std::filesystem::path directory;  ///< of the sweep, absolute
  std::int64_t unfinished = 0;      ///< cases, at least 1
  int ranks = 1;                    ///< of the largest of them
  std::filesystem::path program;    ///< that works on them
};

/// A job array whose tasks share the unfinished cases, and a job that gathers their results afterwards.
class Submission {
 public:
  struct File {
    std::string name;  ///< in folder()
    std::string text;
  };

  Submission(const Extent& extent, const config::SubmitOptions& options);

  std::int64_t tasks() const noexcept { return tasks_; }
  std::filesystem::path folder() const { return directory_ / "jobs"; }
  /// Job scripts and what they source: they need nothing else, and may be submitted again by hand.
  const std::vector<File>& files() const noexcept { return files_; }
  /// Submits the array and prints its number; with `options`, of the job script, in front of its arguments.
  std::vector<std::string> work_command(const std::vector<std::string>& options) const;
  std::vector<std::string> collect_command(const std::vector<std::string>& options) const;
  /// Throws InputOutputError.
  void write_files() const;

 private:
  std::filesystem::path directory_;
  std::string time_;
  std::int64_t tasks_ = 0;
  std::vector<File> files_;
};

}  // namespace rankflow::sweep
