#include "arguments.hpp"

#include "config/load.hpp"
#include "config/simulate_options.hpp"
#include "simulate/simulation.hpp"

namespace rankflow::drivers {
namespace {

ExitCode run(const Arguments& arguments, const Surroundings& surroundings, io::FileType type) {
  if (arguments.resume && arguments.overwrite)
    throw ConfigurationError("--resume continues a run and --overwrite discards it; give one of them");
  auto loaded = config::load<config::SimulateOptions>(arguments.input, arguments.sets);
  const simulate::Request request{.options = std::move(loaded.options),
                                  .configuration = std::move(loaded.resolved),
                                  .source = arguments.input,
                                  .output = arguments.output_path(),
                                  .type = type,
                                  .resume = arguments.resume,
                                  .overwrite = arguments.overwrite};
  return with_context("running the configuration " + arguments.input, [&] {
    if (arguments.dry_run) {
      const auto plan = simulate::plan_simulation(request, surroundings.comm);
      surroundings.console.print(request.configuration + "\n" + plan.text());
      return ExitCode::done;
    }
    return simulate::run_simulation(request, surroundings.comm, surroundings.console);
  });
}

}  // namespace

ExitCode simulate(const Arguments& arguments, const Surroundings& surroundings) {
  return run(arguments, surroundings, io::FileType::run);
}

ExitCode generate_recording(const Arguments& arguments, const Surroundings& surroundings) {
  return run(arguments, surroundings, io::FileType::recording);
}

}  // namespace rankflow::drivers
