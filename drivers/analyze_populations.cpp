#include <chrono>
#include <filesystem>
#include <optional>

#include "analysis/populations_report.hpp"
#include "analysis/populations_resampling.hpp"
#include "analysis_command.hpp"
#include "config/populations_options.hpp"
#include "io/output_file.hpp"
#include "model/build_network.hpp"
#include "model/network_io.hpp"
#include "network_input.hpp"

namespace rankflow::drivers {
namespace {

using Loaded = config::Loaded<config::AnalyzePopulationsOptions>;

analysis::SilencingReport silence(const Arguments& arguments, const model::Network<double>& network,
                                  const analysis::Populations& populations,
                                  const config::AnalyzePopulationsOptions& options,
                                  const parallel::Communicator& comm) {
  const auto& asked = options.populations;
  const parallel::Communicator alone;
  std::optional<model::Network<double>> whole;
  if (asked.fixed_points && network.neurons() <= asked.fixed_point_neurons)
    whole = read_network_input(arguments.input, alone).network;
  auto report = analysis::silence_populations(network, populations, options, whole ? &*whole : nullptr, comm);
  if (!whole)
    report.why_no_fixed_points =
        asked.fixed_points
            ? fmt::format("no fixed points were looked for: {} neurons, above populations.fixed_point_neurons ({})",
                          network.neurons(), asked.fixed_point_neurons)
            : "no fixed points were looked for: populations.fixed_points = false";
  return report;
}

std::filesystem::path resampled_path(const Arguments& arguments) {
  return arguments.resampled.empty() ? std::filesystem::path(arguments.input).stem().concat("_resampled.h5")
                                     : std::filesystem::path(arguments.resampled);
}

/// Before the work begins: what is written must not be what is read, nor the other output.
void check_outputs(const Arguments& arguments, const parallel::Communicator& comm) {
  check_result(arguments.output, io::FileType::analysis, {arguments.input}, comm);
  if (arguments.resample == 0) return;
  const auto resampled = std::filesystem::absolute(resampled_path(arguments)).lexically_normal();
  if (!arguments.output.empty() && resampled == std::filesystem::absolute(arguments.output).lexically_normal())
    throw ConfigurationError("{} is both -o and --resampled; give two files", arguments.output);
  check_result(resampled, io::FileType::network, {arguments.input}, comm);
}

/// Draws and writes a network; its configuration says how, so that `generate network` draws the same one.
void resample(const Arguments& arguments, const model::Network<double>& network,
              const analysis::Populations& populations, std::uint64_t seed, const Surroundings& surroundings) {
  auto options = analysis::resampling_options(network, populations, arguments.resample, seed);
  const auto path = resampled_path(arguments);
  const auto drawn = model::build_network<double>(options.network, network.inputs, seed, surroundings.comm);
  auto output = io::OutputFile::create(
      surroundings.comm, path, io::FileType::network,
      {.configuration = config::resolved_toml(options), .seed = seed, .more = {{"network", arguments.input}}});
  model::write_network(output.file(), drawn);
  output.finish();
  surroundings.console.info("wrote {}: {} neurons drawn from {} population(s)", path.string(), drawn.neurons(),
                            populations.count());
}

void write(const Arguments& arguments, const Loaded& loaded, const model::Network<double>& network,
           const analysis::Populations& populations, const analysis::SilencingReport& silencing,
           const parallel::Communicator& comm) {
  auto output = io::OutputFile::create(comm, arguments.output, io::FileType::analysis,
                                       {.configuration = loaded.resolved,
                                        .seed = static_cast<std::uint64_t>(loaded.options.populations.seed),
                                        .more = {{"network", arguments.input}}});
  analysis::write_populations(output.file(), network, populations, silencing);
  output.finish();
}

}  // namespace

std::string analyze_populations_keys() {
  return keys_text<config::AnalyzePopulationsOptions>();
}

ExitCode analyze_populations(const Arguments& arguments, const Surroundings& surroundings) {
  const auto loaded = config::load_text<config::AnalyzePopulationsOptions>("", "the command line", arguments.sets);
  return with_context("analyzing " + arguments.input, [&] {
    const auto& comm = surroundings.comm;
    check_outputs(arguments, comm);
    const auto start = std::chrono::steady_clock::now();
    const auto network = read_network_input(arguments.input, comm).network;
    const auto populations = analysis::find_populations(network, loaded.options.populations, comm);
    const auto silencing = silence(arguments, network, populations, loaded.options, comm);
    surroundings.console.print(analysis::populations_text(populations, silencing));
    surroundings.console.info("analyzed in {:.3g} s on {} rank(s)",
                              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                              comm.size());
    if (!arguments.output.empty()) write(arguments, loaded, network, populations, silencing, comm);
    if (arguments.resample > 0)
      resample(arguments, network, populations, static_cast<std::uint64_t>(loaded.options.populations.seed),
               surroundings);
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
