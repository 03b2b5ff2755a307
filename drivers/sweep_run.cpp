#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "arguments.hpp"
#include "io/agreement.hpp"
#include "sweep/ledger.hpp"
#include "sweep/make_plan.hpp"
#include "sweep/supervisor.hpp"
#include "sweep/worker.hpp"
#include "sweep_cases.hpp"

namespace rankflow::drivers {
namespace {

/// Of a sweep file, whose plan is written; of a directory, as it was planned.
sweep::Plan planned(const Arguments& arguments, const parallel::Communicator& comm, Console& console) {
  if (std::filesystem::is_directory(arguments.input)) {
    if (!arguments.sets.empty() || !arguments.output.empty())
      throw ConfigurationError("--set and --output change a sweep file, but '{}' is a directory; name the file",
                               arguments.input);
    return sweep::read_plan(arguments.input);
  }
  auto plan = sweep::make_plan(arguments.input, arguments.sets, arguments.output);
  io::on_root(comm, [&] {
    if (const auto damage = sweep::write_plan(plan); !damage.empty()) console.warn("{}: done", damage);
  });
  return plan;
}

/// What this job's workers left to others, who may be dead. Collective.
ExitCode conclude(const sweep::Plan& plan, const Surroundings& surroundings) {
  std::array<std::int64_t, 1> held{};
  io::on_root(surroundings.comm, [&] {
    const auto survey = sweep::Ledger(plan.directory).survey();
    held[0] = std::ranges::count_if(plan.cases, [&](const sweep::Case& one) {
      const auto found = survey.find(one.id);
      return found == survey.end() || !found->second.done;
    });
  });
  surroundings.comm.broadcast(std::span<std::int64_t>(held));
  if (held[0] == 0) return ExitCode::done;
  surroundings.console.info(
      "{} of {} cases are not over: other workers hold them; the same command continues should they have died", held[0],
      plan.cases.size());
  return ExitCode::stopped;
}

}  // namespace

ExitCode sweep_run(const Arguments& arguments, const Surroundings& surroundings) {
  const auto& comm = surroundings.comm;
  const auto plan = planned(arguments, comm, surroundings.console);
  retry_cases(plan, arguments.retry, surroundings);
  if (comm.size() > 1) {
    const auto code =
        sweep::work_in_groups(plan, case_runner(), comm, surroundings.console, {.wall_time = arguments.wall_time});
    return code == ExitCode::done ? conclude(plan, surroundings) : code;
  }
  return sweep::supervise(plan,
                          {.program = std::filesystem::read_symlink("/proc/self/exe"),
                           .workers = arguments.workers,
                           .wall_time = arguments.wall_time},
                          surroundings.console);
}

}  // namespace rankflow::drivers
