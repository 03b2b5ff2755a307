#include "simulate/validation.hpp"

#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "model/small_array.hpp"
#include "simulate/schedule.hpp"
#include "simulate/step_coefficients.hpp"

namespace rankflow::simulate {

namespace {

constexpr double most_segments = 1e6;

void require_whole_steps(const config::TimeOptions& time) {
  row_steps(row_times(time), time.step);
  const double end = static_cast<double>(step_count(time)) * time.step;
  if (std::abs(end - time.duration) > 1e-6 * time.step)
    throw ConfigurationError(
        "time.duration: {} s is not a multiple of time.step = {} s, and a fixed-step method would end at {} s",
        time.duration, time.step, end);
}

/// The update of a shared time constant must neither vanish nor overshoot.
void check_gain(const config::SimulateOptions& options, double tau, double leak, std::optional<double> decay) {
  const auto method = options.integration.method;
  const auto [leak_term, gain, noise] = step_coefficients(method, options.time.step, tau, leak, decay);
  if (gain == 0.0)
    throw ConfigurationError(
        "network.decay: a decay of 1 leaves no room for input or recurrence (1 - decay = 0); it must be below 1");
  if (method == config::Method::map && leak_term * gain > 1.0)
    throw ConfigurationError(
        "time.step: the map's decay would be 1 - leak step / tau = {}; give network.decay in [0, 1), or a step of at "
        "most {} s",
        1.0 - leak_term * gain, tau / leak);
  if (method == config::Method::euler && leak_term * gain >= 2.0)
    throw ConfigurationError(
        "time.step: explicit Euler is unstable from a step of 2 tau / leak = {} s on, found {} s; choose a shorter "
        "step or exponential_euler",
        2 * tau / leak, options.time.step);
}

}  // namespace

void check_combination(const config::SimulateOptions& options) {
  const auto& integration = options.integration;
  const bool noisy = options.noise.neuron > 0 || options.noise.latent > 0 || options.noise.latent_cholesky.given;
  if (options.noise.latent > 0 && options.noise.latent_cholesky.given)
    throw ConfigurationError("noise.latent: give either noise.latent or noise.latent_cholesky, not both");
  if (options.initial.latent_std > 0 && options.initial.latent_cholesky.given)
    throw ConfigurationError("initial.latent_std: give either initial.latent_std or initial.latent_cholesky, not both");
  if (config::is_sundials(integration.method)) {
    if (noisy)
      throw ConfigurationError(
          "noise: runge_kutta, adams and bdf integrate ordinary differential equations and have no "
          "noise; use integration.method = \"euler\" or \"exponential_euler\"");
    if (options.run.precision == config::Precision::single)
      throw ConfigurationError(
          "run.precision: single precision works with map, euler and exponential_euler; SUNDIALS "
          "methods need \"double\"");
  }
  if (options.observation && options.observation->input_weights.given &&
      (integration.space != config::Space::latent || config::is_sundials(integration.method)))
    throw ConfigurationError(
        "observation.input_weights: only fixed steps in latent space follow the filtered inputs; use integration.space "
        "= "
        "\"latent\" with map, euler or exponential_euler");
  const bool bulk = options.network.bulk.kind != config::BulkKind::none;
  if (bulk && options.run.precision == config::Precision::single)
    throw ConfigurationError("run.precision: a random bulk needs \"double\"");
  if (integration.space == config::Space::latent) {
    if (bulk)
      throw ConfigurationError(
          "integration.space: latent space is exact for low-rank connectivity only, but "
          "network.bulk adds a random full-rank part; use space = \"neuron\"");
    if (options.noise.neuron > 0)
      throw ConfigurationError(
          "integration.space: noise.neuron drives every neuron out of the span of m and b, which "
          "latent space cannot follow; use noise.latent or space = \"neuron\"");
    if (options.initial.potential_std > 0)
      throw ConfigurationError(
          "integration.space: initial.potential_std starts neurons outside the span of m and b, "
          "which latent space cannot follow; use initial.latent_std or space = \"neuron\"");
    if (options.network.time_constants != config::TimeConstants::shared)
      throw ConfigurationError(
          "integration.space: latent space needs one shared time constant, but "
          "network.time_constants gives every neuron its own; use space = \"neuron\"");
  }
  if (integration.method != config::Method::map && options.network.decay)
    throw ConfigurationError(
        "network.decay: only integration.method = \"map\" has a decay per step; the others follow "
        "network.tau");
  const double segments = options.time.duration / integration.restart_every.value_or(options.time.duration);
  if (segments > most_segments)
    throw ConfigurationError("integration.restart_every: {} s divides the duration into {:.3g} pieces; at most {:.0e}",
                             *integration.restart_every, segments, most_segments);
  const bool fixed_runge_kutta = integration.method == config::Method::runge_kutta && !integration.adaptive;
  if (!config::is_sundials(integration.method) || fixed_runge_kutta) require_whole_steps(options.time);
}

template <class T>
void check_network(const config::SimulateOptions& options, const model::Network<T>& network) {
  if (options.integration.space == config::Space::latent && network.has_own_tau())
    throw ConfigurationError(
        "integration.space: latent space needs one shared time constant, but this network has one per neuron, so its "
        "potentials do not stay in the span of m and b; use space = \"neuron\"");
  if (options.integration.method == config::Method::map && network.has_own_tau())
    throw ConfigurationError(
        "integration.method: the map has one decay for all neurons, but this network has per-neuron "
        "time constants; use euler or exponential_euler");
  if (network.has_own_tau() && (options.noise.latent > 0 || options.noise.latent_cholesky.given))
    throw ConfigurationError("noise.latent: noise of the latents needs a shared time constant; use noise.neuron");
  if (!config::is_sundials(options.integration.method) && !network.has_own_tau())
    check_gain(options, network.shared_tau, network.leak, network.decay);
  if (options.observation && options.observation->input_weights.given) {
    const auto shape = model::small_array_shape(options.observation->input_weights, "observation.input_weights");
    if (shape.size() == 2 && shape[1] != network.inputs)
      throw ConfigurationError("observation.input_weights: {} columns, the network has {} inputs", shape[1],
                               network.inputs);
  }
  if (options.stop && options.stop->latent >= network.rank)
    throw ConfigurationError("stop.latent: latent {} does not exist; the network has rank {}, numbered from 0",
                             options.stop->latent, network.rank);
}

template void check_network(const config::SimulateOptions&, const model::Network<double>&);
template void check_network(const config::SimulateOptions&, const model::Network<float>&);

}  // namespace rankflow::simulate
