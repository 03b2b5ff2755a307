#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "parallel/draws.hpp"
#include "smc/particle_filter.hpp"

namespace rankflow::smc::testing {

/// Options of a small model, to be varied by tests.
inline config::LatentModelOptions small_options(std::int64_t neurons = 12, std::int64_t rank = 2) {
  config::LatentModelOptions options;
  options.network.neurons = neurons;
  options.network.rank = rank;
  options.network.activation = config::Activation::tanh;
  options.noise.transition_std = 0.3;
  options.noise.initial_std = 0.8;
  options.observation.std = 0.6;
  return options;
}

/// Data of the right shape, without any meaning: reproducible normals, or counts.
struct SmallData {
  SmallData(const LatentModel& model, std::int64_t trials_in, std::int64_t times_in, std::uint64_t seed = 5)
      : trials(trials_in), times(times_in) {
    const parallel::Stream stream(seed, parallel::Purpose::test);
    const auto rows = static_cast<std::size_t>(trials * times);
    observations.resize(rows * static_cast<std::size_t>(model.channels()));
    inputs.resize(rows * static_cast<std::size_t>(model.inputs()));
    guides.resize(rows * static_cast<std::size_t>(model.rank()));
    parallel::normal<double>(stream, {.index = 1}, 0, observations);
    if (!inputs.empty()) parallel::normal<double>(stream, {.index = 2}, 0, inputs);
    parallel::normal<double>(stream, {.index = 3}, 0, guides);
    if (model.options().observation.kind == config::ObservationKind::poisson)
      for (double& x : observations) x = std::floor(2 * std::abs(x));
  }
  FilterData view() const {
    return {.trials = trials, .times = times, .observations = observations, .inputs = inputs, .guides = guides};
  }
  double& observation(std::int64_t trial, std::int64_t time, std::int64_t channel, std::int64_t channels) {
    return observations[static_cast<std::size_t>((trial * times + time) * channels + channel)];
  }

  std::int64_t trials, times;
  std::vector<double> observations, inputs, guides;
};

/// Parameters away from special values: the model's start plus small normals.
inline std::vector<double> shaken_parameters(const LatentModel& model, std::uint64_t seed = 3) {
  auto flat = model.initial_parameters(seed);
  std::vector<double> shake(flat.size());
  parallel::normal<double>(parallel::Stream(seed, parallel::Purpose::test), {.index = 9}, 0, shake);
  for (const auto& range : model.layout().trainable_ranges())
    for (auto i = static_cast<std::size_t>(range.begin); i < static_cast<std::size_t>(range.end); ++i)
      flat[i] += 0.1 * shake[i];
  return flat;
}

}  // namespace rankflow::smc::testing
