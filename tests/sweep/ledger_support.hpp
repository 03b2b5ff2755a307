#pragma once
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// An empty folder for one test.
class SweepFolder {
 public:
  SweepFolder() {
    std::string name = std::filesystem::temp_directory_path() / "rankflow-sweep-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the test");
    path_ = name;
  }
  ~SweepFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  SweepFolder(const SweepFolder&) = delete;
  SweepFolder& operator=(const SweepFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Sets a file's time of modification back.
inline void make_older(const std::filesystem::path& file, long seconds) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) throw std::runtime_error("no such file");
  timespec times[2] = {about.st_atim, about.st_mtim};
  times[1].tv_sec -= seconds;
  if (::utimensat(AT_FDCWD, file.c_str(), times, 0) != 0) throw std::runtime_error("cannot set a file's time");
}

/// Number of a process that ended.
inline pid_t ended_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

/// 16 digits that spread over the ledger's folders as hashes do.
inline std::string id_of(std::size_t number) {
  std::uint64_t word = (number + 1) * 0x9E3779B97F4A7C15ULL;
  std::string id(16, '0');
  for (auto& digit : id) {
    digit = "0123456789abcdef"[word & 15U];
    word >>= 4U;
  }
  return id;
}

/// A plan of `count` cases of one rank in `folder`, not written.
inline Plan plan_of(const std::filesystem::path& folder, std::size_t count) {
  Plan plan;
  plan.directory = folder;
  for (std::size_t i = 0; i < count; ++i)
    plan.cases.push_back({.id = id_of(i),
                          .driver = "simulate",
                          .varied = {{"number", std::to_string(i)}},
                          .seed = 1,
                          .ranks = 1,
                          .configuration = "number = " + std::to_string(i) + "\n"});
  return plan;
}

}  // namespace rankflow::sweep
