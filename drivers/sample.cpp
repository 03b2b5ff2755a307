#include "arguments.hpp"
#include "config/load.hpp"
#include "fit/flow_sampling.hpp"

namespace rankflow::drivers {
namespace {

std::vector<std::string> sets_of_sample(const Arguments& arguments) {
  std::vector<std::string> sets;
  if (!arguments.neurons.empty()) sets.push_back("sample.neurons=" + arguments.neurons);
  if (!arguments.seed.empty()) sets.push_back("sample.seed=" + arguments.seed);
  if (arguments.conditional_mean) sets.emplace_back("sample.conditional_mean=true");
  sets.insert(sets.end(), arguments.sets.begin(), arguments.sets.end());
  return sets;
}

}  // namespace

ExitCode sample(const Arguments& arguments, const Surroundings& surroundings) {
  const auto flow = fit::load_flow(surroundings.comm, arguments.input);
  auto defaults = fit::sample_defaults(flow);
  auto loaded = config::load_text<config::SampleOptions>(config::resolved_toml(defaults), arguments.input,
                                                         sets_of_sample(arguments));
  if (!loaded.options.sample.conditional_mean) fit::require_finished(surroundings.comm, arguments.input);
  const auto name = std::filesystem::path(arguments.input).stem().string() + "_network.h5";
  const fit::SampleRequest request{.flow = flow,
                                   .source = arguments.input,
                                   .options = loaded.options,
                                   .configuration = std::move(loaded.resolved),
                                   .output = arguments.output.empty() ? name : arguments.output};
  if (arguments.dry_run) {
    surroundings.console.print(request.configuration + "\n" + fit::plan_sample(request, surroundings.comm));
    return ExitCode::done;
  }
  return fit::run_sample(request, surroundings.comm, surroundings.console);
}

}  // namespace rankflow::drivers
