#include "sweep_ranks.hpp"

#include <array>
#include <cstdint>
#include <span>

#include "io/agreement.hpp"
#include "sweep/launcher.hpp"
#include "sweep/make_plan.hpp"
#include "sweep/measured_ranks.hpp"
#include "sweep/measurement.hpp"
#include "sweep/supervised_measurement.hpp"
#include "sweep_cases.hpp"

namespace rankflow::drivers {
namespace {

bool is_measured(const sweep::Plan& plan, const parallel::Communicator& comm) {
  bool known = false;
  io::on_root(comm, [&] { known = sweep::read_measured_ranks(plan.directory).has_value(); });
  return comm.any(known);
}

}  // namespace

sweep::Plan find_or_make_plan(const Arguments& arguments, const Surroundings& surroundings) {
  if (std::filesystem::is_directory(arguments.input)) {
    if (!arguments.sets.empty() || !arguments.output.empty())
      throw ConfigurationError("--set and --output change a sweep file, but '{}' is a directory; name the file",
                               arguments.input);
    return sweep::read_plan(arguments.input);
  }
  auto plan = sweep::make_plan(arguments.input, arguments.sets, arguments.output);
  io::on_root(surroundings.comm, [&] {
    if (const auto damage = sweep::write_plan(plan); !damage.empty()) surroundings.console.warn("{}: done", damage);
  });
  return plan;
}

ExitCode measure_ranks_once(const sweep::Plan& plan, const Arguments& arguments, const Surroundings& surroundings) {
  if (!sweep::asks_for_measurement(plan) || is_measured(plan, surroundings.comm)) return ExitCode::done;
  if (surroundings.comm.size() > 1 || arguments.here)
    return sweep::measure_ranks(plan, case_runner(), surroundings.comm, surroundings.console,
                                {.workers = arguments.workers, .wall_time = arguments.wall_time});
  return sweep::supervise_measurement(plan,
                                      {.program = std::filesystem::read_symlink("/proc/self/exe"),
                                       .workers = arguments.workers,
                                       .wall_time = arguments.wall_time},
                                      surroundings.console);
}

void check_recorded_ranks(const sweep::Plan& plan, const Arguments& arguments, const Surroundings& surroundings) {
  if (!sweep::asks_for_measurement(plan)) return;
  const auto& comm = surroundings.comm;
  io::on_root(comm, [&] {
    const auto record = sweep::read_measured_ranks(plan.directory);
    if (!record) return;
    const int processors = comm.size() > 1 ? comm.size() : sweep::available_processors();
    const auto path = sweep::measured_ranks_path(plan.directory).string();
    const bool packed = comm.size() == 1 && arguments.workers > 0;  // more ranks on a processor, as asked for
    if (record->ranks > processors && !packed)
      throw ConfigurationError(
          "'{}' gives a case {} ranks, and there {}; delete it and measure again (rankflow sweep measure {}), or run "
          "where there are more",
          path, record->ranks, processors == 1 ? "is 1 processor" : fmt::format("are {} processors", processors),
          plan.directory.string());
    const auto now = sweep::measurement_for(plan, processors, arguments.workers);
    if (!now) return;
    if (const auto doubt = sweep::doubt_about(*record, now->demand); !doubt.empty())
      surroundings.console.warn("{}; to measure again delete '{}'", doubt, path);
  });
}

void settle_ranks(sweep::Plan& plan, int otherwise, const parallel::Communicator& comm) {
  std::array<std::int64_t, 1> ranks{};
  io::on_root(comm, [&] { ranks[0] = sweep::recorded_ranks(plan, otherwise); });
  comm.broadcast(std::span<std::int64_t>(ranks));
  sweep::set_measured_ranks(plan, static_cast<int>(ranks[0]));
}

}  // namespace rankflow::drivers
