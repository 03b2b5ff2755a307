#pragma once
#include <filesystem>

#include "core/console.hpp"
#include "core/error.hpp"
#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// How a supervisor works.
struct Supervision {
  std::filesystem::path program;  ///< started as `program sweep work DIRECTORY --ranks …`
  int workers = 0;                ///< groups of ranks at once; 0: as many as the processors allow
  double wall_time = 0;           ///< s after which all stop with checkpoints; 0: until a signal or the job's end
};

/// Starts processes that work on the plan, starts others for those that die, shows how far the sweep is, and returns
/// when every case is over, or stopped when all stopped with checkpoints. One process, which does not compute.
/// Throws ConfigurationError when a case asks for more ranks than there are processors and nobody said how many
/// workers, InputOutputError when workers cannot be started or end at once again and again.
ExitCode supervise(const Plan& plan, const Supervision& how, Console& console);

}  // namespace rankflow::sweep
