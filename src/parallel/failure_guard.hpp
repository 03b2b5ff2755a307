#pragma once
#include <functional>
#include <string>

#include "core/error.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::parallel {

/// Runs a rank's share of the program and turns exceptions into an exit code. When all ranks fail together (a mistake
/// in the configuration) rank 0 reports and everybody leaves in order. When one rank fails alone it reports with its
/// rank and ends the whole job within seconds, so that the others do not wait for it for ever. `world` serves for
/// nothing else: its pending barrier would disturb other messages.
int run_guarded(const Communicator& world, const std::function<ExitCode()>& action,
                const std::function<void(const std::string&)>& report);

}  // namespace rankflow::parallel
