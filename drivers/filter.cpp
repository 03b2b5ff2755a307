#include "filter_settings.hpp"

namespace rankflow::drivers {

ExitCode filter(const Arguments& arguments, const Surroundings& surroundings) {
  const auto fit = fit::load_fit(surroundings.comm, arguments.input);
  auto sets = arguments.sets;
  if (!arguments.particles.empty()) sets.insert(sets.begin(), "smc.particles=" + arguments.particles);
  auto loaded = filter_settings(arguments, fit, sets);
  const auto name = std::filesystem::path(arguments.input).stem().string() + "_filtered.h5";
  const fit::FilterRequest request{.fit = fit,
                                   .source = arguments.input,
                                   .options = std::move(loaded.options),
                                   .configuration = std::move(loaded.resolved),
                                   .output = arguments.output.empty() ? name : arguments.output};
  return with_context("filtering with " + arguments.input, [&] {
    if (arguments.dry_run) {
      surroundings.console.print(request.configuration + "\n" + fit::plan_filter(request, surroundings.comm));
      return ExitCode::done;
    }
    return fit::run_filter(request, surroundings.comm, surroundings.console);
  });
}

}  // namespace rankflow::drivers
