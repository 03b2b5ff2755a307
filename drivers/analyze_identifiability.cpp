#include "analysis/identifiability_file.hpp"
#include "analysis_command.hpp"
#include "config/identifiability_options.hpp"
#include "filter_settings.hpp"
#include "fit/flow_sampling.hpp"
#include "fit/identifiability_latents.hpp"
#include "io/file_kind.hpp"
#include "io/output_file.hpp"
#include "network_input.hpp"

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
  Question question;
  question.network = read_network_input(arguments.input, comm).network;
  const auto fit = fit::load_fit(comm, arguments.input);
  auto filter = filter_settings(arguments, fit, sets);
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
  question.network = read_network_input(arguments.input, comm).network;
  question.latents = latents_beside_network(arguments, loaded, question.network, run, comm);
  return question;
}

/// What the input file is.
struct Subject {
  bool fit = false, flow = false, run = false;
};

Subject look_at(const std::string& path, const parallel::Communicator& comm) {
  const auto file = io::File::open(comm, path);
  const auto type = io::file_type_of(file);
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
  return keys_text<config::AnalyzeIdentifiabilityOptions>(
      "for fits also filter.*, data.* and smc.* of `rankflow filter`, for flows sample.*, sampler.* and ridge.* of "
      "`rankflow sample`; ");
}

ExitCode analyze_identifiability(const Arguments& arguments, const Surroundings& surroundings) {
  const auto& comm = surroundings.comm;
  return with_context("analyzing " + arguments.input, [&] {
    const auto subject = look_at(arguments.input, comm);
    const auto sets = divide(arguments.sets, subject.fit || subject.flow);
    const auto loaded = config::load_text<config::AnalyzeIdentifiabilityOptions>("", "the command line", sets.own);
    check_result(arguments.output, io::FileType::analysis, {arguments.input, file_in(arguments.data)}, comm);
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
