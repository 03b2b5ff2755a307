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
  std::int64_t most_tasks = 1000;   ///< of a job array: the cluster's MaxArraySize, see most_array_tasks
};

/// MaxArraySize in what `scontrol show config` says: so many tasks a job array has at most; `otherwise` when it is not
/// said.
std::int64_t most_array_tasks(const std::string& configuration, std::int64_t otherwise);

/// A job array whose tasks share the unfinished cases, and a job that gathers their results afterwards.
class Submission {
 public:
  struct File {
    std::string name;  ///< in folder()
    std::string text;
  };

  /// Throws ConfigurationError when the cluster has no job arrays, or the directory's name holds letters that cannot
  /// be said in a job script.
  Submission(const Extent& extent, const config::SubmitOptions& options);

  std::int64_t tasks() const noexcept { return tasks_; }
  /// What `per_task` asked for.
  std::int64_t tasks_wanted() const noexcept { return tasks_wanted_; }
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
  std::int64_t tasks_wanted_ = 0;
  std::int64_t tasks_ = 0;
  std::vector<File> files_;
};

}  // namespace rankflow::sweep
