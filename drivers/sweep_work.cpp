#include "arguments.hpp"
#include "sweep/worker.hpp"
#include "sweep_cases.hpp"
#include "sweep_ranks.hpp"

namespace rankflow::drivers {

ExitCode sweep_work(const Arguments& arguments, const Surroundings& surroundings) {
  auto plan = sweep::read_plan(arguments.input);
  settle_ranks(plan, arguments.ranks, surroundings.comm);
  retry_cases(plan, arguments.retry, surroundings);
  return sweep::work_in_groups(plan, case_runner(), surroundings.comm, surroundings.console,
                               {.wall_time = arguments.wall_time, .ranks = arguments.ranks});
}

}  // namespace rankflow::drivers
