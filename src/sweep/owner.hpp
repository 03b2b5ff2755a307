#pragma once
#include <cstdint>
#include <string>

namespace rankflow::sweep {

/// A process that holds a claim. On one host it can be asked whether it still lives.
struct Owner {
  std::string host;
  std::string instance;  ///< boot and process name space: only within the same one is `process` comparable
  std::int64_t process = 0;
  std::int64_t started = 0;  ///< of the process, in ticks since boot: a number used again is another process
  std::string job;           ///< SLURM job id with array task; empty elsewhere

  static Owner myself();
  /// True when it is certain that the process is gone; false also when nobody can tell from here.
  bool surely_gone() const;

  std::string text() const;
  /// All empty when the text is incomplete: its writer died while writing.
  static Owner parse(const std::string& text);
};

}  // namespace rankflow::sweep
