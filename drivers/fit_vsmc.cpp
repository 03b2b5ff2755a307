#include "fit/fit_vsmc.hpp"
#include "arguments.hpp"
#include "config/load.hpp"

namespace rankflow::drivers {

ExitCode fit_vsmc(const Arguments& arguments, const Surroundings& surroundings) {
  if (arguments.resume && arguments.overwrite)
    throw ConfigurationError("--resume continues a fit and --overwrite discards it; give one of them");
  auto loaded = config::load<config::FitVsmcOptions>(arguments.input, arguments.sets);
  const fit::FitRequest request{.options = std::move(loaded.options),
                                .configuration = std::move(loaded.resolved),
                                .source = arguments.input,
                                .output = arguments.output_path(),
                                .resume = arguments.resume,
                                .overwrite = arguments.overwrite};
  return with_context("running the configuration " + arguments.input, [&] {
    if (arguments.dry_run) {
      const auto plan = fit::plan_fit(request, surroundings.comm);
      surroundings.console.print(request.configuration + "\n" + plan.text());
      return ExitCode::done;
    }
    return fit::run_fit(request, surroundings.comm, surroundings.console);
  });
}

}  // namespace rankflow::drivers
