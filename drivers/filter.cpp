#include "arguments.hpp"
#include "config/leaf_reader.hpp"
#include "config/load.hpp"
#include "fit/filtering.hpp"

namespace rankflow::drivers {
namespace {

/// The fit's own settings, changed by the data (a recording, or "file.h5:/name" for observations) and by --set.
config::Loaded<config::FilterOptions> load(const Arguments& arguments, const fit::LoadedFit& fit) {
  auto defaults = fit::filter_defaults(fit);
  if (!arguments.data.empty()) {
    config::ArraySource named;
    config::set_file(named, arguments.data, "");
    const bool recording = named.member.empty();
    defaults.data.file = recording ? named.path : "";
    defaults.data.arrays = {};
    if (!recording) defaults.data.arrays.observations = named;
    defaults.data.arrays.observations.given = !recording;
    defaults.data.bin_width = recording ? 0 : fit.bin_width;
    defaults.data.trials.clear();
  }
  auto sets = arguments.sets;
  if (!arguments.particles.empty()) sets.insert(sets.begin(), "smc.particles=" + arguments.particles);
  return config::load_text<config::FilterOptions>(config::resolved_toml(defaults), arguments.input, sets);
}

}  // namespace

ExitCode filter(const Arguments& arguments, const Surroundings& surroundings) {
  const auto fit = fit::load_fit(surroundings.comm, arguments.input);
  auto loaded = load(arguments, fit);
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
