#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace rankflow::sweep {

/// The environment that this process was started with, without what a launcher said of its job: this and what MPI
/// added since would make a program believe that it belongs to this one. "NAME=value" each.
std::vector<std::string> initial_environment();

/// A program that runs beside this one. When this process is killed it gets SIGUSR1, on which workers stop with a
/// checkpoint. Killed, too, when the object goes before it ended.
class Child {
 public:
  /// `log`: where its standard output and standard error are appended. Throws InputOutputError when the program
  /// cannot be started.
  Child(const std::vector<std::string>& words, const std::filesystem::path& log);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// Its exit code, 128 + n after signal n; nothing while it runs. Does not wait.
  std::optional<int> ended();
  void send(int signal) const;
  /// It and what it started, as far as that stayed in its group of processes.
  void kill_all() const;

 private:
  pid_t process_ = -1;
  std::optional<int> code_;
};

}  // namespace rankflow::sweep
