#pragma once
#include "sweep/runner.hpp"

namespace rankflow::drivers {

/// Runs a sweep's cases by the drivers of this program, inside this process.
sweep::Runner case_runner();

}  // namespace rankflow::drivers
