#include "sweep_cases.hpp"

#include "arguments.hpp"
#include "sweep/metrics.hpp"

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
  if (driver == "simulate") return simulate(arguments, here);
  if (driver == "generate recording") return generate_recording(arguments, here);
  throw ConfigurationError("a sweep cannot run '{}'; sweep.driver can be 'fit vsmc', 'simulate', 'generate recording'",
                           driver);
}

}  // namespace

sweep::Runner case_runner() {
  return {.run = run_case, .metrics = [](const sweep::Task& task) { return sweep::read_metrics(task.result); }};
}

}  // namespace rankflow::drivers
