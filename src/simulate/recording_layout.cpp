#include "simulate/recording_layout.hpp"

#include <cmath>

#include "core/error.hpp"
#include "simulate/schedule.hpp"

namespace rankflow::simulate {

RecordPaths recording_paths() {
  return {.latent = "/truth/latent",
          .inputs = "/recording/inputs",
          .observations = "/recording/observations",
          .group = "/truth"};
}

void describe_recording(io::RunLayout& layout, const config::SimulateOptions& options,
                        const model::Observation* observation) {
  if (observation == nullptr)
    throw ConfigurationError("observation: a synthetic recording needs an [observation] table: kind, channels, ...");
  if (options.stop)
    throw ConfigurationError("stop: a synthetic recording has trials of equal length; leave out the [stop] table");
  const auto times = row_times(options.time);
  if (times.size() < 2)
    throw ConfigurationError("time.duration: a recording needs at least two saved rows, found {}", times.size());
  const double bin = times[1] - times[0];
  for (std::size_t k = 1; k < times.size(); ++k)
    if (std::abs(times[k] - times[k - 1] - bin) > 1e-6 * bin)
      throw ConfigurationError("time.save_at: a recording has rows at equal intervals, found {} s and {} s", bin,
                               times[k] - times[k - 1]);
  layout.coordinates.push_back({.path = "/recording/time", .values = times, .units = "s", .long_name = "time"});
  const auto channels = static_cast<std::uint64_t>(observation->channels());
  layout.datasets.push_back({.path = "/recording/mask",
                             .shape = {static_cast<std::uint64_t>(options.time.trials), times.size()},
                             .dimensions = {"trial", "time"},
                             .type = io::Type::u8,
                             .units = "1",
                             .long_name = "1 where observed"});
  if (observation->source() == config::ObservationSource::latent)
    layout.datasets.push_back({.path = "/truth/observation_weights",
                               .shape = {channels, observation->weights().size() / channels},
                               .dimensions = {"channel", "rank"},
                               .long_name = "observation weights"});
  else
    layout.datasets.push_back({.path = "/truth/observation_weights",
                               .shape = {channels},
                               .dimensions = {"channel"},
                               .long_name = "observation weights"});
  if (!observation->input_weights().empty())
    layout.datasets.push_back({.path = "/truth/observation_input_weights",
                               .shape = {channels, observation->input_weights().size() / channels},
                               .dimensions = {"channel", "input"},
                               .long_name = "observation weights of the inputs"});
  layout.datasets.push_back({.path = "/truth/observation_bias",
                             .shape = {channels},
                             .dimensions = {"channel"},
                             .long_name = "observation bias"});
  const bool gaussian = observation->kind() == config::ObservationKind::gaussian;
  if (gaussian)
    layout.datasets.push_back({.path = "/truth/observation_variance",
                               .shape = {channels},
                               .dimensions = {"channel"},
                               .long_name = "variance of the observation noise"});
  layout.attributes["/recording"] = {{"bin_width_s", bin},
                                     {"observation_kind", std::string(gaussian ? "gaussian" : "poisson")}};
}

void write_recording_truth(io::RunFile& file, const model::Observation* observation) {
  auto& out = file.file();
  const std::vector<std::uint8_t> mask(io::count_of(out.info("/recording/mask").shape), 1);
  out.write_all<std::uint8_t>("/recording/mask", mask);
  out.write_all<double>("/truth/observation_weights", observation->weights());
  if (!observation->input_weights().empty())
    out.write_all<double>("/truth/observation_input_weights", observation->input_weights());
  out.write_all<double>("/truth/observation_bias", observation->bias());
  if (observation->kind() == config::ObservationKind::gaussian)
    out.write_all<double>("/truth/observation_variance", observation->variance());
}

}  // namespace rankflow::simulate
