#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/ranges.h>

#include "analysis/evaluation.hpp"
#include "analysis/evaluation_report.hpp"
#include "analysis_command.hpp"
#include "config/evaluate_options.hpp"
#include "fit/filtering.hpp"
#include "fit/likelihood.hpp"
#include "fit/prediction_scores.hpp"
#include "fit/simulation_text.hpp"
#include "io/file_kind.hpp"
#include "io/output_file.hpp"
#include "io/recording_file.hpp"
#include "simulate/simulation.hpp"

namespace rankflow::drivers {
namespace {

using config::ObservationKind;
using Loaded = config::Loaded<config::EvaluateRunOptions>;

/// The fit in the input, if it is one.
std::optional<fit::LoadedFit> find_fit(const Arguments& arguments, const parallel::Communicator& comm) {
  if (io::file_type_of(io::File::open(comm, arguments.input)) != io::name_of(io::FileType::fit)) return std::nullopt;
  return fit::load_fit(comm, arguments.input);
}

/// Whether DATA is an array of observations: a:/b, a.npz:b or a.npy. Else it is a recording file.
bool names_an_array(const std::string& data) {
  return data.find(":/") != std::string::npos || data.find(".npz:") != std::string::npos || data.ends_with(".npy");
}

/// The positional DATA as the configuration's key.
/// The time step of observations without one is the fit's, unless --set says otherwise.
std::vector<std::string> all_sets(const Arguments& arguments, const std::optional<fit::LoadedFit>& fit) {
  std::vector<std::string> sets;
  const bool observations = names_an_array(arguments.data);
  if (observations && fit) sets.push_back(fmt::format("data.bin_width={:.17g}", fit->bin_width));
  sets.insert(sets.end(), arguments.sets.begin(), arguments.sets.end());
  if (!arguments.data.empty()) sets.push_back((observations ? "data.observations=" : "data.file=") + arguments.data);
  return sets;
}

/// What the data are: as asked for, else as the recording file says.
ObservationKind kind_of(const config::EvaluateRunOptions& options, const parallel::Communicator& comm) {
  if (options.evaluate.kind != config::DataKind::automatic)
    return options.evaluate.kind == config::DataKind::poisson ? ObservationKind::poisson : ObservationKind::gaussian;
  if (options.data.file.empty()) return ObservationKind::gaussian;
  const auto file = io::File::open(comm, options.data.file);
  if (!file.has_group("/recording")) return ObservationKind::gaussian;  // refused when it is read
  const auto stored = file.attribute("/recording", "observation_kind");
  return stored == io::Attribute(std::string("poisson")) ? ObservationKind::poisson : ObservationKind::gaussian;
}

analysis::Series of_recording(const std::string& path, const parallel::Communicator& comm) {
  auto recording = io::read_recording(comm, path, io::Values::any);
  return analysis::masked({recording.trials, recording.times, recording.channels, std::move(recording.observations)},
                          recording.mask);
}

/// The observations of a run.
analysis::Series of_run(const io::File& file, const std::string& path) {
  const std::string name = "/trajectory/observations";
  if (!file.has_dataset(name))
    throw InputDataError(
        "'{}' is {} and holds no generated observations; needed is a run with an [observation] table ({}), a recording "
        "(/recording/observations) or a fit. It holds: {}",
        path, io::kind_of_file(file), name, fmt::join(file.datasets(), ", "));
  const auto& shape = file.shape(name);
  if (shape.size() != 3)
    throw InputDataError("dataset '{}' of file '{}' has shape {}, expected [trial, time, channel]", name, path,
                         io::text_of(shape));
  return {static_cast<std::int64_t>(shape[0]), static_cast<std::int64_t>(shape[1]), static_cast<std::int64_t>(shape[2]),
          file.read_all<double>(name)};
}

analysis::Series read_generated(const std::string& path, const parallel::Communicator& comm) {
  const auto file = io::File::open(comm, path);
  return file.has_dataset("/recording/observations") ? of_recording(path, comm) : of_run(file, path);
}

/// A new folder, which goes with this object and what it holds: no file of the user's can be in the way. Collective.
class PassingFolder {
 public:
  /// `beside`: a file of the folder in which it is made.
  PassingFolder(const std::filesystem::path& beside, const parallel::Communicator& comm) : comm_(comm) {
    auto name = (beside.parent_path() / "rankflow-generated-XXXXXX").string();
    if (comm.is_root() && ::mkdtemp(name.data()) == nullptr) name.clear();
    comm.broadcast(name);
    if (name.empty())
      throw InputOutputError(
          "no folder can be made beside '{}' for the series that is generated; give -o a place that "
          "can be written to",
          beside.string());
    path_ = name;
  }
  ~PassingFolder() {
    std::error_code ignored;
    if (comm_.is_root()) std::filesystem::remove_all(path_, ignored);
  }
  PassingFolder(const PassingFolder&) = delete;
  PassingFolder& operator=(const PassingFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  const parallel::Communicator& comm_;
  std::filesystem::path path_;
};

/// As many trials and steps as the data have, generated by a fit after `discard` steps; in a file of its own that is
/// removed when it is read.
analysis::Series generate(const Arguments& arguments, const fit::DataSet& data, const config::EvaluateOptions& options,
                          const Surroundings& surroundings) {
  const PassingFolder folder(arguments.output.empty() ? arguments.input : arguments.output, surroundings.comm);
  const auto file = folder.path() / "series.h5";
  const double duration = static_cast<double>(data.times + options.discard - 1) * data.bin_width;
  auto loaded = config::load_text<config::SimulateOptions>(
      fit::read_simulation_text(surroundings.comm, arguments.input), arguments.input,
      {fmt::format("time.duration={:.17g}", duration), fmt::format("time.trials={}", data.trials),
       fmt::format("run.seed={}", options.seed), "output.network=false", "output.final_state=false"});
  const simulate::Request request{.options = std::move(loaded.options),
                                  .configuration = std::move(loaded.resolved),
                                  .source = arguments.input,
                                  .output = file,
                                  .type = io::FileType::run,
                                  .resume = false,
                                  .overwrite = true};
  if (simulate::run_simulation(request, surroundings.comm, surroundings.console) != ExitCode::done)
    throw InputOutputError("the generation of a series by '{}' was stopped", arguments.input);
  auto series = read_generated(file, surroundings.comm);
  surroundings.comm.barrier();  // before it goes
  return series;
}

/// Likelihood of the data under the fit, the same for every generated series.
void add_likelihood(const fit::LoadedFit& fit, const fit::DataSet& data, const parallel::Communicator& comm,
                    analysis::Evaluation& evaluation) {
  constexpr std::int64_t filters = 5;
  const auto found = fit::estimate_likelihood(fit, data, filters, comm);
  const auto each = static_cast<std::size_t>(evaluation.series);
  evaluation.statistics.push_back({"log_likelihood_per_step", "nat",
                                   "log-likelihood per step of the data, by filtering",
                                   std::vector<double>(each, found.per_step)});
  evaluation.statistics.push_back(
      {"log_likelihood_error", "nat", "its Monte Carlo standard error", std::vector<double>(each, found.error)});
}

/// How well the fit foretells the data, the same for every generated series.
void add_predictions(const fit::LoadedFit& fit, const fit::DataSet& data, const config::EvaluateOptions& options,
                     const parallel::Communicator& comm, analysis::Evaluation& evaluation) {
  const auto scores = fit::score_predictions(
      fit, data,
      {.horizons = options.forecast, .held_out = options.held_out, .seed = static_cast<std::uint64_t>(options.seed)},
      comm);
  for (auto score : scores) {
    score.values.resize(static_cast<std::size_t>(evaluation.series), score.values.front());
    evaluation.statistics.push_back(std::move(score));
  }
}

/// The data a fit is compared with, prepared as they were for it: those named, else those it was made from.
config::DataOptions as_fitted(const config::EvaluateRunOptions& options, const fit::LoadedFit& fit) {
  const bool named = !options.data.file.empty() || options.data.arrays.observations.given;
  auto data = named ? options.data : fit.options.data;
  data.unsmooth = fit.options.data.unsmooth;
  data.standardise = fit.options.data.standardise;
  return data;
}

analysis::Evaluation compare_run(const Arguments& arguments, const config::EvaluateRunOptions& options,
                                 const parallel::Communicator& comm) {
  const auto kind = kind_of(options, comm);
  const auto data = fit::load_data(options.data, kind, comm);
  return analysis::evaluate({.data = {data.trials, data.times, data.channels, data.observations},
                             .generated = read_generated(arguments.input, comm),
                             .kind = kind,
                             .bin_width = data.bin_width},
                            options.evaluate, comm);
}

/// What a fit generates is compared with the recording as it is, unless --set data.unsmooth asks for what was fitted:
/// where the fit undid a smoothing, its series is smoothed likewise. The likelihood is of what was fitted.
analysis::Evaluation compare_fit(const Arguments& arguments, config::EvaluateRunOptions options,
                                 const fit::LoadedFit& fit, const Surroundings& surroundings) {
  const auto& comm = surroundings.comm;
  const auto kind = fit.options.model.observation.kind;
  const auto* known = fit.standardisation ? &*fit.standardisation : nullptr;
  const auto fitted = as_fitted(options, fit);
  const auto data = fit::load_data(fitted, kind, comm, known);
  auto recorded = data;
  if (fitted.unsmooth != options.data.unsmooth) {
    auto as_recorded = fitted;
    as_recorded.unsmooth = options.data.unsmooth;
    recorded = fit::load_data(as_recorded, kind, comm);
    const bool smoothed = fitted.unsmooth == config::SmoothingWindow::hann15;
    if (smoothed && options.evaluate.smoothing == config::GeneratedSmoothing::automatic)
      options.evaluate.smoothing = config::GeneratedSmoothing::hann15;
  }
  auto evaluation = analysis::evaluate({.data = {data.trials, data.times, data.channels, recorded.observations},
                                        .generated = generate(arguments, data, options.evaluate, surroundings),
                                        .kind = kind,
                                        .bin_width = data.bin_width},
                                       options.evaluate, comm);
  add_likelihood(fit, data, comm, evaluation);
  add_predictions(fit, data, options.evaluate, comm, evaluation);
  return evaluation;
}

void write(const Arguments& arguments, const Loaded& loaded, const analysis::Evaluation& evaluation,
           const parallel::Communicator& comm) {
  auto output = io::OutputFile::create(comm, arguments.output, io::FileType::evaluation,
                                       {.configuration = loaded.resolved,
                                        .seed = static_cast<std::uint64_t>(loaded.options.evaluate.seed),
                                        .more = {{"generated", arguments.input}}});
  analysis::write_evaluation(output.file(), evaluation);
  output.finish();
}

}  // namespace

ExitCode evaluate(const Arguments& arguments, const Surroundings& surroundings) {
  return with_context("evaluating " + arguments.input, [&] {
    check_result(arguments.output, io::FileType::evaluation, {arguments.input, file_in(arguments.data)},
                 surroundings.comm);
    const auto fit = find_fit(arguments, surroundings.comm);
    const auto loaded = config::load_text<config::EvaluateRunOptions>("", "the command line", all_sets(arguments, fit));
    const auto evaluation = fit ? compare_fit(arguments, loaded.options, *fit, surroundings)
                                : compare_run(arguments, loaded.options, surroundings.comm);
    surroundings.console.print(analysis::text_of(evaluation));
    if (!arguments.output.empty()) write(arguments, loaded, evaluation, surroundings.comm);
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
