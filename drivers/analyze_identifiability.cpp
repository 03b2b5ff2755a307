#include "analysis/identifiability_file.hpp"
#include "arguments.hpp"
#include "config/identifiability_options.hpp"
#include "config/leaf_reader.hpp"
#include "config/load.hpp"
#include "fit/flow_sampling.hpp"
#include "fit/identifiability_latents.hpp"
#include "io/earlier_output.hpp"
#include "io/output_file.hpp"
#include "model/network_io.hpp"

namespace rankflow::drivers {
namespace {

using Loaded = config::Loaded<config::AnalyzeIdentifiabilityOptions>;

/// --set of the analysis' own table, and of the others: those of the filter or of sampling, which fits and flows have.
struct DividedSets {
  std::vector<std::string> own, others;
};

DividedSets divide(const std::vector<std::string>& sets, bool others) {
  DividedSets divided;
  for (const auto& set : sets)
    (!others || set.starts_with("identifiability.") ? divided.own : divided.others).push_back(set);
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

/// What is asked about: a network, what its latents visited, and the settings that led there.
struct Question {
  model::Network<double> network;
  fit::KnownLatents latents;
  std::string configuration;
};

/// Where the filter puts its file for a moment: beside the output.
std::filesystem::path scratch_path(const Arguments& arguments) {
  const auto name = std::filesystem::path(arguments.output.empty() ? arguments.input : arguments.output).stem();
  return std::filesystem::path(arguments.output).replace_filename(name.string() + "_latents.partial.h5");
}

Question question_of_fit(const Arguments& arguments, const std::vector<std::string>& sets,
                         const Surroundings& surroundings) {
  const auto& comm = surroundings.comm;
  fit::require_model(io::File::open(comm, arguments.input));
  const auto fit = fit::load_fit(comm, arguments.input);
  auto filter = filter_options(arguments, fit, sets);
  Question question;
  question.network = model::read_network<double>(io::NetworkFile::open(comm, arguments.input));
  question.configuration = "\n" + filter.resolved;
  question.latents = fit::latents_of_fit({.fit = fit,
                                          .source = arguments.input,
                                          .options = std::move(filter.options),
                                          .configuration = std::move(filter.resolved),
                                          .output = scratch_path(arguments)},
                                         question.network, comm, surroundings.console);
  return question;
}

/// A network drawn from the flow, and the states that the flow was made for.
Question question_of_flow(const Arguments& arguments, const Loaded& loaded, const std::vector<std::string>& sets,
                          const parallel::Communicator& comm) {
  const auto flow = fit::load_flow(comm, arguments.input);
  auto defaults = fit::sample_defaults(flow);
  auto sampling = config::load_text<config::SampleOptions>(config::resolved_toml(defaults), arguments.input, sets);
  if (!sampling.options.sample.conditional_mean) fit::require_finished(comm, arguments.input);
  Question question;
  question.configuration = "\n" + sampling.resolved;
  question.network = fit::sample_network({.flow = flow,
                                          .source = arguments.input,
                                          .options = sampling.options,
                                          .configuration = std::move(sampling.resolved),
                                          .output = ""},
                                         comm);
  if (arguments.data.empty())
    question.latents = fit::latents_of_flow(flow, arguments.input);
  else
    question.latents = latents_beside_network(arguments, loaded, question.network, false, comm);
  return question;
}

Question question_of_network(const Arguments& arguments, const Loaded& loaded, bool run,
                             const parallel::Communicator& comm) {
  Question question;
  question.network = model::read_network<double>(io::NetworkFile::open(comm, arguments.input));
  question.latents = latents_beside_network(arguments, loaded, question.network, run, comm);
  return question;
}

/// What the input file is.
struct Subject {
  bool fit = false, flow = false, run = false;
};

Subject look_at(const std::string& path, const parallel::Communicator& comm) {
  const auto file = io::File::open(comm, path);
  const auto type = file_type(file);
  return {.fit = type == io::name_of(io::FileType::fit),
          .flow = type == io::name_of(io::FileType::flow),
          .run = file.has_dataset("/trajectory/latent")};
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

}  // namespace

std::string analyze_identifiability_keys() {
  std::string text = "keys of --set\n";
  for (const auto& table : config::list_tables<config::AnalyzeIdentifiabilityOptions>())
    for (const auto& key : table.keys) text += fmt::format("  {}.{}: {}\n", table.name, key.key, key.doc);
  return text +
         "for fits also filter.*, data.* and smc.* of `rankflow filter`, for flows sample.*, sampler.* and ridge.* of "
         "`rankflow sample`; ranges and defaults: rankflow reference";
}

ExitCode analyze_identifiability(const Arguments& arguments, const Surroundings& surroundings) {
  const auto& comm = surroundings.comm;
  return with_context("analyzing " + arguments.input, [&] {
    const auto subject = look_at(arguments.input, comm);
    const auto sets = divide(arguments.sets, subject.fit || subject.flow);
    const auto loaded = config::load_text<config::AnalyzeIdentifiabilityOptions>("", "the command line", sets.own);
    if (!arguments.output.empty())
      io::check_output({.path = arguments.output,
                        .type = io::FileType::analysis,
                        .inputs = {arguments.input, file_in(arguments.data)},
                        .may_overwrite = false},
                       comm);
    const auto question = subject.fit    ? question_of_fit(arguments, sets.others, surroundings)
                          : subject.flow ? question_of_flow(arguments, loaded, sets.others, comm)
                                         : question_of_network(arguments, loaded, subject.run, comm);
    const analysis::IdentifiabilityProblem problem{question.network, question.latents.states, question.latents.origin};
    const auto report = analysis::analyze_identifiability(problem, loaded.options.identifiability, comm);
    surroundings.console.print(analysis::identifiability_text(report));
    if (!arguments.output.empty()) write(arguments, loaded.resolved + question.configuration, problem, report, comm);
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
