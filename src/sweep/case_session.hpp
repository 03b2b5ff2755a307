#pragma once
#include "sweep/case_queue.hpp"
#include "sweep/runner.hpp"

namespace rankflow::sweep {

/// What a worker needs for every case. All must outlive it.
struct Workplace {
  const Plan& plan;
  Ledger& ledger;
  const Runner& runner;
  const parallel::Communicator& group;
  Console& console;  ///< of the worker; the case has its own, which goes to its log
};

enum class SessionEnd : std::int64_t {
  over,    ///< an outcome is recorded, by us or by whom we lost the case to
  stopped  ///< released with a checkpoint: a signal came or time is up, and the worker has to end
};

/// Runs a claimed case until it ends in one way or another, and records that in the ledger; gives the case up when it
/// died too often. Collective over the group; `claim` is the same on all ranks. `wall_time` as in Task.
/// When one rank of several fails alone the case's death is recorded and the whole MPI job ends.
SessionEnd run_session(const Workplace& at, const Claim& claim, double wall_time);

/// "network.rank = 2, run.seed = 3": what tells the case from others.
std::string description_of(const Case& one);

}  // namespace rankflow::sweep
