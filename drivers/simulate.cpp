#include <array>
#include <fstream>

#include "arguments.hpp"
#include "config/load.hpp"
#include "config/simulate_options.hpp"
#include "fit/simulation_text.hpp"
#include "simulate/simulation.hpp"

namespace rankflow::drivers {
namespace {

bool is_hdf5(const std::string& path) {
  constexpr std::array<char, 8> signature{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> begin{};
  std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
  return begin == signature;
}

/// From a configuration file, or from what a fit says about simulating itself.
config::Loaded<config::SimulateOptions> load(const Arguments& arguments, const Surroundings& surroundings) {
  if (!is_hdf5(arguments.input)) return config::load<config::SimulateOptions>(arguments.input, arguments.sets);
  return config::load_text<config::SimulateOptions>(fit::read_simulation_text(surroundings.comm, arguments.input),
                                                    arguments.input, arguments.sets);
}

ExitCode run(const Arguments& arguments, const Surroundings& surroundings, io::FileType type) {
  if (arguments.resume && arguments.overwrite)
    throw ConfigurationError("--resume continues a run and --overwrite discards it; give one of them");
  auto loaded = load(arguments, surroundings);
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
