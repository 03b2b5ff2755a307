#pragma once
#include <functional>
#include <string>

#include "core/error.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::parallel {

/// How a rank's share of some work ended.
struct Attempt {
  ExitCode code = ExitCode::done;
  std::string failure = {};  ///< what the exception said; empty without one
  bool alone = false;        ///< only some ranks failed: the others wait for this one, so that the job has to end
};

/// Runs a rank's share of some work and turns exceptions into an Attempt. When all ranks fail, each gets the same code
/// or its own; when some do, they find out within seconds, and the others do not return. `world` serves for nothing
/// else: its pending barrier would disturb other messages; after `alone` it must not be used again.
Attempt attempt_together(const Communicator& world, const std::function<ExitCode()>& action);

/// Runs a rank's share of the program and turns exceptions into an exit code. When all ranks fail together (a mistake
/// in the configuration) rank 0 reports and everybody leaves in order. When one rank fails alone it reports with its
/// rank and ends the whole job within seconds, so that the others do not wait for it for ever. `world` serves for
/// nothing else: its pending barrier would disturb other messages.
int run_guarded(const Communicator& world, const std::function<ExitCode()>& action,
                const std::function<void(const std::string&)>& report);

}  // namespace rankflow::parallel
