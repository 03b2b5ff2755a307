#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "core/console.hpp"
#include "core/error.hpp"
#include "parallel/communicator.hpp"
#include "sweep/plan.hpp"

namespace rankflow::sweep {

/// One session of a case, as its driver is asked for it.
struct Task {
  const Case& one;
  std::filesystem::path configuration;  ///< file with the case's resolved configuration
  std::filesystem::path result;         ///< file to write
  bool resume = false;                  ///< continue what stands there
  bool overwrite = false;               ///< discard what stands there
  double wall_time = 0;                 ///< s after which to stop with a checkpoint; 0: none
  std::int64_t pause_after = 0;         ///< epochs of a fit after which to stop with a checkpoint; 0: none
};

/// What runs cases. This layer does not know the drivers; whoever starts a sweep names them.
struct Runner {
  /// Collective over the communicator. Returns done or stopped, throws for anything else.
  std::function<ExitCode(const Task&, const parallel::Communicator&, Console&)> run;
  /// Figures of a result by which cases are compared; called on one rank.
  std::function<std::map<std::string, double>(const Task&)> metrics;
};

}  // namespace rankflow::sweep
