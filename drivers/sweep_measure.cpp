#include "core/error.hpp"
#include "sweep/measured_ranks.hpp"
#include "sweep_ranks.hpp"

namespace rankflow::drivers {

ExitCode sweep_measure(const Arguments& arguments, const Surroundings& surroundings) {
  if (arguments.here && surroundings.comm.size() == 1)
    throw ConfigurationError(
        "the launcher started processes that know nothing of one another, so that only one rank can be measured; see "
        "docs/slurm.md, Launcher");
  const auto plan = find_or_make_plan(arguments, surroundings);
  if (!sweep::asks_for_measurement(plan))
    throw ConfigurationError(
        "there is nothing to measure: sweep.ranks is a number; give sweep.ranks = \"measured\", or --set "
        "sweep.ranks=measured");
  const auto code = measure_ranks_once(plan, arguments, surroundings);
  if (code != ExitCode::done || arguments.here || !surroundings.comm.is_root()) return code;
  if (const auto found = sweep::read_measured_ranks(plan.directory)) {
    surroundings.console.print(fmt::format("ranks of a case: {}\n{} keeps that; delete it to measure again\n",
                                           sweep::text_of(*found),
                                           sweep::measured_ranks_path(plan.directory).string()));
  } else {
    surroundings.console.print("nothing to measure: there is one processor, or no open case\n");
  }
  return code;
}

}  // namespace rankflow::drivers
