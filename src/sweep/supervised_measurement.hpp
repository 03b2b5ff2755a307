#pragma once
#include "sweep/supervisor.hpp"

namespace rankflow::sweep {

/// From one process: starts `program sweep measure DIRECTORY --here` on all processors and waits for its record
/// (sweep/measured_ranks.hpp); records one rank and why when that ends without one. Records nothing where there is
/// nothing to choose: on one processor, or without open cases. Returns stopped when a signal came or time was up.
ExitCode supervise_measurement(const Plan& plan, const Supervision& how, Console& console);

}  // namespace rankflow::sweep
