#pragma once
#include <limits>

#include "smc/filter_support.hpp"
#include "smc/kalman.hpp"
#include "smc/monte_carlo.hpp"

namespace rankflow::smc::testing {

/// Options of a small linear network whose filter has an exact answer.
inline config::LatentModelOptions linear_options(std::int64_t neurons = 6, std::int64_t rank = 2) {
  auto options = small_options(neurons, rank);
  options.network.activation = config::Activation::identity;
  options.network.decay = 0.8;
  return options;
}

/// Parameters of ordinary size that depend on nothing but the options: a fit may start from others.
inline std::vector<double> plain_parameters(const LatentModel& model) {
  const auto& options = model.options();
  const auto& layout = model.layout();
  std::vector<double> flat(static_cast<std::size_t>(layout.total()), 0.0);
  const auto draw = [&](LatentModel::Id id, double deviation, double mean = 0) {
    const auto part = layout.part(std::span<double>(flat), id);
    parallel::normal<double>(parallel::Stream(3, parallel::Purpose::test),
                             {.index = 20 + static_cast<std::uint32_t>(id)}, 0, part);
    for (double& value : part) value = mean + deviation * value;
    return part;
  };
  const auto draw_noise = [&](LatentModel::Id id, double deviation) {
    const auto part = draw(id, 0.1);
    const bool full = part.size() > static_cast<std::size_t>(model.rank());
    const std::size_t next = full ? static_cast<std::size_t>(model.rank()) + 1 : 1;
    for (std::size_t i = 0; i < part.size(); i += next) part[i] += 2 * std::log(deviation);
  };
  const double neurons = static_cast<double>(model.neurons());
  layout.part(std::span<double>(flat), model.decay)[0] = std::log(-std::log(options.network.decay));
  const auto m = draw(model.m, 1);
  if (options.network.transition == config::Transition::full_rank)
    for (std::size_t i = 0; i < m.size(); ++i) m[i] = i % static_cast<std::size_t>(model.rank() + 1) == 0 ? 1 : 0;
  draw(model.n, 0.2 / std::sqrt(neurons));
  draw(model.bias, 0.5);
  if (model.input_weights) draw(*model.input_weights, 0.3);
  if (model.initial_mean) draw(*model.initial_mean, 0.3);
  draw_noise(model.initial_noise, options.noise.initial_std);
  draw_noise(model.transition_noise, options.noise.transition_std);
  if (options.observation.source == config::ReadoutSource::latent)
    draw(model.observation_weights, 1 / std::sqrt(static_cast<double>(model.rank())));
  else
    draw(model.observation_weights, 0.1, 1);
  if (model.observation_inputs) draw(*model.observation_inputs, 0.3);
  draw(model.observation_bias, 0.3);
  if (model.observation_log_variance) draw(*model.observation_log_variance, 0.1, 2 * std::log(options.observation.std));
  return flat;
}

/// One recording of T steps, seen by many trials at once: each is a filter of its own, with its own random numbers.
struct LinearCase {
  LinearCase(const config::LatentModelOptions& options, std::int64_t channels_in, std::int64_t inputs_in,
             std::int64_t times_in, config::Proposal proposal = config::Proposal::optimal, std::uint64_t seed = 5)
      : model(options, channels_in, inputs_in), one(model, 1, times_in, seed) {
    add_proposal_parameters(model, proposal);
    parameters = plain_parameters(model);
    if (LinearModel::describes(model)) draw_observations(seed);
  }

  /// Observations drawn from the linear model itself.
  void draw_observations(std::uint64_t seed) {
    const auto rank = model.rank();
    const auto exact = linear();
    const StateSpace space(model, parameters);
    const parallel::Stream stream(seed, parallel::Purpose::test);
    Vector z, eps(rank), noise(model.channels());
    for (std::int64_t t = 0; t < one.times; ++t) {
      const auto at = static_cast<std::size_t>(t);
      const auto step = static_cast<std::uint32_t>(t);
      parallel::normal<double>(stream, {.step = step, .index = 4}, 0, {eps.data(), static_cast<std::size_t>(rank)});
      parallel::normal<double>(stream, {.step = step, .index = 5}, 0,
                               {noise.data(), static_cast<std::size_t>(noise.size())});
      z = t == 0 ? Vector(exact.initial_mean + space.initial_noise * eps)
                 : Vector(exact.transition * z + exact.offsets[at - 1] + space.transition_noise * eps);
      const Vector x = exact.readout * z + exact.levels[at] + exact.variance.cwiseSqrt().cwiseProduct(noise);
      for (Eigen::Index d = 0; d < x.size(); ++d) one.observation(0, t, d, x.size()) = x[d];
    }
  }

  /// A fifth of the channels not observed, and one step wholly masked.
  void punch_gaps() {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (std::size_t i = 2; i < one.observations.size(); i += 5) one.observations[i] = nan;
    for (std::int64_t d = 0; d < model.channels(); ++d) one.observation(0, one.times / 2, d, model.channels()) = nan;
  }

  /// v(t) [T, I].
  std::vector<double> network_inputs() const {
    std::vector<double> v(one.inputs.size());
    if (!v.empty())
      smc::network_inputs(model.options().network.input_path, StateSpace(model, parameters).decay, model.inputs(),
                          one.inputs, v);
    return v;
  }
  LinearModel linear() const { return {model, parameters, one.times, network_inputs()}; }
  Kalman kalman() const { return {linear(), one.observations}; }

  /// The recording `trials` times; guides differ from trial to trial.
  SmallData repeated(std::int64_t trials) const {
    SmallData data(model, trials, one.times);
    const auto repeat = [trials](const std::vector<double>& once, std::vector<double>& all) {
      all.clear();
      for (std::int64_t i = 0; i < trials; ++i) all.insert(all.end(), once.begin(), once.end());
    };
    repeat(one.observations, data.observations);
    repeat(one.inputs, data.inputs);
    return data;
  }

  /// log Z of `trials` independent filters.
  std::vector<double> log_likelihoods(const config::SmcOptions& smc, std::int64_t trials,
                                      const FilterRandomness& randomness = {}) const {
    const auto data = repeated(trials);
    const parallel::Communicator serial;
    ParticleFilter<double> filter(model, smc, serial, trials, one.times);
    return totals(filter.run(parameters, data.view(), randomness).log_likelihood, trials);
  }

  LatentModel model;
  SmallData one;
  std::vector<double> parameters;
};

}  // namespace rankflow::smc::testing
