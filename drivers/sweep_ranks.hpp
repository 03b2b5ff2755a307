#pragma once
#include "arguments.hpp"
#include "sweep/plan.hpp"

namespace rankflow::drivers {

/// The plan of a sweep file, which is written, or of a directory, as it was planned. Collective.
sweep::Plan find_or_make_plan(const Arguments& arguments, const Surroundings& surroundings);

/// Where sweep.ranks = "measured" and nothing is recorded, measures how many ranks a case should have. Returns stopped
/// when a signal came or time was up before that was known. Collective.
ExitCode measure_ranks_once(const sweep::Plan& plan, const Arguments& arguments, const Surroundings& surroundings);

/// Gives the cases that ask for it the ranks that were measured, or `otherwise`; the same on every rank. Throws
/// ConfigurationError when nothing was measured and `otherwise` is 0. Collective.
void settle_ranks(sweep::Plan& plan, int otherwise, const parallel::Communicator& comm);

/// Before settle_ranks, where cases are to run: warns when another number may be faster by now. Throws
/// ConfigurationError when more ranks are recorded than there is room for. Collective.
void check_recorded_ranks(const sweep::Plan& plan, const Arguments& arguments, const Surroundings& surroundings);

}  // namespace rankflow::drivers
