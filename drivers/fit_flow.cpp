#include "fit/fit_flow.hpp"
#include "arguments.hpp"
#include "config/load.hpp"

namespace rankflow::drivers {
namespace {

/// What --from says in terms of keys: the fit's loadings, its latents, and its drift without the latents' noise.
std::vector<std::string> sets_of(const Arguments& arguments) {
  if (arguments.from.empty()) return arguments.sets;
  const auto file = std::filesystem::absolute(arguments.from).lexically_normal().string();
  std::vector<std::string> sets{"network.source=file",  "network.file=" + file,  "latents.source=fit",
                                "latents.file=" + file, "latents.drift=network", "ridge.penalty=1e-6"};
  sets.insert(sets.end(), arguments.sets.begin(), arguments.sets.end());
  return sets;
}

config::Loaded<config::FitFlowOptions> load_options(const Arguments& arguments) {
  if (arguments.input.empty() && arguments.from.empty())
    throw ConfigurationError("rankflow fit flow needs a configuration file, or --from and a fit");
  if (!arguments.input.empty()) return config::load<config::FitFlowOptions>(arguments.input, sets_of(arguments));
  return config::load_text<config::FitFlowOptions>("", arguments.from, sets_of(arguments));
}

std::filesystem::path flow_output(const Arguments& arguments) {
  if (!arguments.output.empty() || !arguments.input.empty()) return arguments.output_path();
  return std::filesystem::path(arguments.from).stem().string() + "_flow.h5";
}

}  // namespace

ExitCode fit_flow(const Arguments& arguments, const Surroundings& surroundings) {
  if (arguments.resume && arguments.overwrite)
    throw ConfigurationError("--resume continues a fit and --overwrite discards it; give one of them");
  auto loaded = load_options(arguments);
  const fit::FlowRequest request{.options = std::move(loaded.options),
                                 .configuration = std::move(loaded.resolved),
                                 .source = arguments.input,
                                 .output = flow_output(arguments),
                                 .resume = arguments.resume,
                                 .overwrite = arguments.overwrite};
  const auto& name = arguments.input.empty() ? arguments.from : arguments.input;
  return with_context("learning the connectivity of " + name, [&] {
    if (arguments.dry_run) {
      surroundings.console.print(request.configuration + "\n" + fit::plan_fit_flow(request, surroundings.comm).text);
      return ExitCode::done;
    }
    return fit::run_fit_flow(request, surroundings.comm, surroundings.console);
  });
}

}  // namespace rankflow::drivers
