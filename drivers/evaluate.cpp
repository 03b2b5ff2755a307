#include <fmt/ranges.h>

#include "analysis/evaluation.hpp"
#include "analysis/evaluation_report.hpp"
#include "arguments.hpp"
#include "config/evaluate_options.hpp"
#include "config/load.hpp"
#include "fit/data_set.hpp"
#include "io/output_file.hpp"
#include "io/recording_file.hpp"

namespace rankflow::drivers {
namespace {

using config::ObservationKind;
using Loaded = config::Loaded<config::EvaluateRunOptions>;

/// The positional DATA as the configuration's key: a recording file, or the observations of another file (a:/b).
std::vector<std::string> all_sets(const Arguments& arguments) {
  auto sets = arguments.sets;
  if (!arguments.data.empty())
    sets.push_back((arguments.data.find(":/") == std::string::npos ? "data.file=" : "data.observations=") +
                   arguments.data);
  return sets;
}

/// What the data are: as asked for, else as the recording file says.
ObservationKind kind_of(const config::EvaluateRunOptions& options, const parallel::Communicator& comm) {
  if (options.evaluate.kind != config::DataKind::automatic)
    return options.evaluate.kind == config::DataKind::poisson ? ObservationKind::poisson : ObservationKind::gaussian;
  if (options.data.file.empty()) return ObservationKind::gaussian;
  const auto stored = io::File::open(comm, options.data.file).attribute("/recording", "observation_kind");
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
        "file '{}' holds no generated observations: neither {} (a run with an [observation] table) nor "
        "/recording/observations. It holds: {}",
        path, name, fmt::join(file.datasets(), ", "));
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

analysis::Evaluation compare(const Arguments& arguments, const config::EvaluateRunOptions& options,
                             const parallel::Communicator& comm) {
  const auto kind = kind_of(options, comm);
  auto data = fit::load_data(options.data, kind, comm);
  return analysis::evaluate({.data = {data.trials, data.times, data.channels, std::move(data.observations)},
                             .generated = read_generated(arguments.input, comm),
                             .kind = kind,
                             .bin_width = data.bin_width},
                            options.evaluate, comm);
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
  const auto loaded = config::load_text<config::EvaluateRunOptions>("", "the command line", all_sets(arguments));
  return with_context("evaluating " + arguments.input, [&] {
    const auto evaluation = compare(arguments, loaded.options, surroundings.comm);
    surroundings.console.print(analysis::text_of(evaluation));
    if (!arguments.output.empty()) write(arguments, loaded, evaluation, surroundings.comm);
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
