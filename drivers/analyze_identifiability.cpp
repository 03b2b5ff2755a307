#include <optional>

#include "analysis/identifiability_file.hpp"
#include "arguments.hpp"
#include "config/identifiability_options.hpp"
#include "config/leaf_reader.hpp"
#include "config/load.hpp"
#include "fit/identifiability_latents.hpp"
#include "io/output_file.hpp"
#include "model/network_io.hpp"

namespace rankflow::drivers {
namespace {

using Loaded = config::Loaded<config::AnalyzeIdentifiabilityOptions>;

/// --set of the analysis' own table, and of the others: those of the filter, which only a fit has.
struct DividedSets {
  std::vector<std::string> own, filter;
};

DividedSets divide(const std::vector<std::string>& sets, bool fit) {
  DividedSets divided;
  for (const auto& set : sets) {
    const bool own = !fit || set.starts_with("identifiability.");
    (own ? divided.own : divided.filter).push_back(set);
  }
  return divided;
}

std::string file_type(const io::File& file) {
  const auto type = file.attribute("/", "file_type");
  return type && std::holds_alternative<std::string>(*type) ? std::get<std::string>(*type) : "";
}

/// DATA as a file, and what is in it.
config::ArraySource data_source(const std::string& text) {
  config::ArraySource source;
  config::set_file(source, text, "");
  source.given = true;
  return source;
}

/// A run holds latents itself; a file without a member is a run, unless it is an array file.
fit::KnownLatents latents_beside_network(const Arguments& arguments, const Loaded& loaded,
                                         const model::Network<double>& network, bool run,
                                         const parallel::Communicator& comm) {
  if (arguments.data.empty()) {
    if (run) return fit::latents_of_run(arguments.input, network, comm);
    throw ConfigurationError(
        "'{}' holds no latents; name a run of this network (run.h5), or an array [trial, time, rank] (z.npy, "
        "data.h5:/z), after it",
        arguments.input);
  }
  const auto source = data_source(arguments.data);
  const auto extension = std::filesystem::path(source.path).extension();
  if (source.member.empty() && extension != ".npy" && extension != ".npz")
    return fit::latents_of_run(source.path, network, comm);
  return fit::latents_of_array(source, network, loaded.options.identifiability);
}

/// The fit's own settings, changed by the data and by --set.
config::Loaded<config::FilterOptions> filter_options(const Arguments& arguments, const fit::LoadedFit& fit,
                                                     const std::vector<std::string>& sets) {
  auto defaults = fit::filter_defaults(fit);
  if (!arguments.data.empty()) {
    const auto named = data_source(arguments.data);
    const bool recording = named.member.empty();
    defaults.data.file = recording ? named.path : "";
    defaults.data.arrays = {};
    if (!recording) defaults.data.arrays.observations = named;
    defaults.data.bin_width = recording ? 0 : fit.bin_width;
    defaults.data.trials.clear();
  }
  return config::load_text<config::FilterOptions>(config::resolved_toml(defaults), arguments.input, sets);
}

/// What the input file is about.
struct Subject {
  model::Network<double> network;
  bool run = false;
  bool fit = false;
};

Subject read_subject(const std::string& path, const parallel::Communicator& comm) {
  Subject subject;
  {
    const auto file = io::File::open(comm, path);
    subject.fit = file_type(file) == io::name_of(io::FileType::fit);
    subject.run = file.has_dataset("/trajectory/latent");
    if (subject.fit) fit::require_model(file);
  }
  subject.network = model::read_network<double>(io::NetworkFile::open(comm, path));
  return subject;
}

void write(const Arguments& arguments, const std::string& configuration,
           const analysis::IdentifiabilityProblem& problem, const analysis::IdentifiabilityReport& report,
           const parallel::Communicator& comm) {
  auto output = io::OutputFile::create(
      comm, arguments.output, io::FileType::analysis,
      {.configuration = configuration, .more = {{"network", arguments.input}, {"data", arguments.data}}});
  analysis::write_identifiability(output.file(), problem, report);
  output.finish();
}

/// Where the filter puts its file for a moment.
std::string scratch_name(const Arguments& arguments) {
  const auto stem = std::filesystem::path(arguments.output.empty() ? arguments.input : arguments.output).stem();
  return stem.string() + "_latents.partial.h5";
}

}  // namespace

std::string analyze_identifiability_keys() {
  std::string text = "keys of --set\n";
  for (const auto& table : config::list_tables<config::AnalyzeIdentifiabilityOptions>())
    for (const auto& key : table.keys) text += fmt::format("  {}.{}: {}\n", table.name, key.key, key.doc);
  return text +
         "for fits also filter.*, data.* and smc.* of `rankflow filter`; ranges and defaults: rankflow reference";
}

ExitCode analyze_identifiability(const Arguments& arguments, const Surroundings& surroundings) {
  const auto& comm = surroundings.comm;
  return with_context("analyzing " + arguments.input, [&] {
    const auto subject = read_subject(arguments.input, comm);
    const auto sets = divide(arguments.sets, subject.fit);
    const auto loaded = config::load_text<config::AnalyzeIdentifiabilityOptions>("", "the command line", sets.own);
    auto configuration = loaded.resolved;
    std::optional<fit::KnownLatents> latents;
    if (subject.fit) {
      const auto fit = fit::load_fit(comm, arguments.input);
      auto filter = filter_options(arguments, fit, sets.filter);
      configuration += "\n" + filter.resolved;
      latents = fit::latents_of_fit({.fit = fit,
                                     .source = arguments.input,
                                     .options = std::move(filter.options),
                                     .configuration = std::move(filter.resolved),
                                     .output = scratch_name(arguments)},
                                    subject.network, comm, surroundings.console);
    } else {
      latents = latents_beside_network(arguments, loaded, subject.network, subject.run, comm);
    }
    const analysis::IdentifiabilityProblem problem{subject.network, latents->states, latents->origin};
    const auto report = analysis::analyze_identifiability(problem, loaded.options.identifiability, comm);
    surroundings.console.print(analysis::identifiability_text(report));
    if (!arguments.output.empty()) write(arguments, configuration, problem, report, comm);
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
