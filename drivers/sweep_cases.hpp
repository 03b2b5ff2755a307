#pragma once
#include "arguments.hpp"
#include "sweep/plan.hpp"
#include "sweep/runner.hpp"

namespace rankflow::drivers {

/// Runs a sweep's cases by the drivers of this program, inside this process.
sweep::Runner case_runner();

/// Has cases begin again that are over with one of the statuses, and says how many. Collective.
void retry_cases(const sweep::Plan& plan, const std::vector<std::string>& statuses, const Surroundings& surroundings);

}  // namespace rankflow::drivers
