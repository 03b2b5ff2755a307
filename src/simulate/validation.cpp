#include "simulate/validation.hpp"

#include "core/error.hpp"
#include "simulate/schedule.hpp"
#include "simulate/step_coefficients.hpp"

namespace rankflow::simulate {

void check_combination(const config::SimulateOptions& options) {
  const auto& integration = options.integration;
  const bool noisy = options.noise.neuron > 0 || options.noise.latent > 0 || options.noise.latent_cholesky.given;
  if (options.noise.latent > 0 && options.noise.latent_cholesky.given)
    throw ConfigurationError("noise.latent: give either noise.latent or noise.latent_cholesky, not both");
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
  const bool fixed_runge_kutta = integration.method == config::Method::runge_kutta && !integration.adaptive;
  if (!config::is_sundials(integration.method) || fixed_runge_kutta)
    row_steps(row_times(options.time), options.time.step);
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
  if (!config::is_sundials(options.integration.method) && !network.has_own_tau()) {
    const auto coefficients = step_coefficients(options.integration.method, options.time.step, network.shared_tau,
                                                network.leak, network.decay);
    if (coefficients.gain == 0.0)
      throw ConfigurationError(
          "network.decay: a decay of 1 leaves no room for input or recurrence (1 - decay = 0); it must be below 1");
  }
  if (options.stop && options.stop->latent >= network.rank)
    throw ConfigurationError("stop.latent: latent {} does not exist; the network has rank {}, numbered from 0",
                             options.stop->latent, network.rank);
}

template void check_network(const config::SimulateOptions&, const model::Network<double>&);
template void check_network(const config::SimulateOptions&, const model::Network<float>&);

}  // namespace rankflow::simulate
