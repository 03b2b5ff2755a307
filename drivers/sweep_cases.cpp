#include "sweep_cases.hpp"

#include <fmt/ranges.h>

#include "io/agreement.hpp"
#include "sweep/metrics.hpp"
#include "sweep/retry.hpp"

namespace rankflow::drivers {
namespace {

ExitCode run_case(const sweep::Task& task, const parallel::Communicator& comm, Console& console) {
  Arguments arguments;
  arguments.input = task.configuration;
  arguments.output = task.result;
  arguments.sets = {fmt::format("run.wall_time={:.3f}", task.wall_time)};
  if (task.pause_after > 0) arguments.sets.push_back(fmt::format("training.pause_after={}", task.pause_after));
  arguments.resume = task.resume;
  arguments.overwrite = task.overwrite;
  const Surroundings here{.comm = comm, .console = console};
  const auto& driver = task.one.driver;
  if (driver == "fit vsmc") return fit_vsmc(arguments, here);
  if (driver == "fit flow") return fit_flow(arguments, here);
  if (driver == "simulate") return simulate(arguments, here);
  if (driver == "generate recording") return generate_recording(arguments, here);
  throw ConfigurationError(
      "a sweep cannot run '{}'; sweep.driver can be 'fit vsmc', 'fit flow', 'simulate', 'generate recording'", driver);
}

}  // namespace

sweep::Runner case_runner() {
  return {.run = run_case, .metrics = [](const sweep::Task& task) { return sweep::read_metrics(task.result); }};
}

void retry_cases(const sweep::Plan& plan, const std::vector<std::string>& statuses, const Surroundings& surroundings) {
  if (statuses.empty()) return;
  io::on_root(surroundings.comm, [&] {
    const auto count = sweep::retry(plan, sweep::cases_to_retry(plan, statuses));
    surroundings.console.info("{} {} again (--retry {})", count, count == 1 ? "case begins" : "cases begin",
                              fmt::join(statuses, ","));
  });
}

}  // namespace rankflow::drivers
