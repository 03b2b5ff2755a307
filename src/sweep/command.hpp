#pragma once
#include <string>
#include <vector>

namespace rankflow::sweep {

struct Finished {
  int exit_code = 0;  ///< 128 + n after signal n
  std::string output;
};

/// Runs a program, found in PATH, to its end; its standard error is ours. It gets initial_environment(). Throws
/// InputOutputError when the program cannot be started.
Finished run_command(const std::vector<std::string>& words);

/// Whether PATH has a program of this name.
bool has_program(const std::string& name);

}  // namespace rankflow::sweep
