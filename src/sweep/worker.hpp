#pragma once
#include "sweep/case_session.hpp"

namespace rankflow::sweep {

/// A worker's limits.
struct WorkLimits {
  double wall_time = 0;  ///< s after which cases are stopped with a checkpoint; 0: until a signal or the job's end
  int ranks = 0;         ///< only cases of so many ranks; 0: all
};

/// Takes cases of `at.group.size()` ranks, one after the other, until nothing is left to claim: then done, also when
/// others are still at theirs. Stopped when a signal came or time was up; the case under way is then released with a
/// checkpoint. Collective over the group.
ExitCode work(const Workplace& at, const WorkLimits& limits);

/// Every case that the plan holds, in this MPI job: the ranks of `world` form groups as large as the cases ask for,
/// each of which works on its own. Ranks that are left over are idle. Throws ConfigurationError when a case asks for
/// more ranks than there are. Collective over `world`.
ExitCode work_in_groups(const Plan& plan, const Runner& runner, const parallel::Communicator& world, Console& console,
                        const WorkLimits& limits);

}  // namespace rankflow::sweep
