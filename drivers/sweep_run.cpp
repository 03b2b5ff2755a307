#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include "arguments.hpp"
#include "io/agreement.hpp"
#include "sweep/ledger.hpp"
#include "sweep/supervisor.hpp"
#include "sweep/worker.hpp"
#include "sweep_cases.hpp"
#include "sweep_ranks.hpp"

namespace rankflow::drivers {
namespace {

/// Of a limit that is 0 for none.
double left_of(double wall_time, std::chrono::steady_clock::time_point start) {
  constexpr double shortest = 1e-3;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  return wall_time > 0 ? std::max(shortest, wall_time - passed.count()) : 0;
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
  const auto start = std::chrono::steady_clock::now();
  auto plan = find_or_make_plan(arguments, surroundings);
  retry_cases(plan, arguments.retry, surroundings);
  if (const auto code = measure_ranks_once(plan, arguments, surroundings); code != ExitCode::done) return code;
  check_recorded_ranks(plan, arguments, surroundings);
  settle_ranks(plan, 1, comm);
  const double wall_time = left_of(arguments.wall_time, start);
  if (comm.size() > 1) {
    const auto code = sweep::work_in_groups(plan, case_runner(), comm, surroundings.console, {.wall_time = wall_time});
    return code == ExitCode::done ? conclude(plan, surroundings) : code;
  }
  return sweep::supervise(plan,
                          {.program = std::filesystem::read_symlink("/proc/self/exe"),
                           .workers = arguments.workers,
                           .wall_time = wall_time},
                          surroundings.console);
}

}  // namespace rankflow::drivers
