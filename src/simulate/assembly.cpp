#include "simulate/assembly.hpp"

#include <cmath>
#include <type_traits>

#include "core/error.hpp"
#include "model/build_network.hpp"
#include "simulate/latent_step_engine.hpp"
#include "simulate/neuron_step_engine.hpp"
#include "simulate/sundials_engine.hpp"

namespace rankflow::simulate {
namespace {

std::uint64_t seed_of(const config::SimulateOptions& options) {
  return static_cast<std::uint64_t>(options.run.seed);
}

}  // namespace

std::vector<double> row_times(const config::TimeOptions& time) {
  if (!time.save_at.empty()) return time.save_at;
  const double interval = time.save_every.value_or(time.step);
  const double rows = std::floor(time.duration / interval + 1e-6) + 1;
  if (rows > 2147483648.0)
    throw ConfigurationError("time.save_every: {:.3g} rows per trial would be saved; choose a longer interval", rows);
  std::vector<double> times(static_cast<std::size_t>(rows));
  for (std::size_t k = 0; k < times.size(); ++k) times[k] = static_cast<double>(k) * interval;
  return times;
}

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
  if (integration.method == config::Method::map && options.network.decay == 1.0)
    throw ConfigurationError("network.decay: a decay of 1 leaves no room for input or recurrence (1 - decay = 0)");
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
  if (options.stop && options.stop->latent >= network.rank)
    throw ConfigurationError("stop.latent: latent {} does not exist; the network has rank {}, numbered from 0",
                             options.stop->latent, network.rank);
}

template <class T>
model::Network<T> make_network(const config::SimulateOptions& options, const parallel::Communicator& comm) {
  return model::build_network<T>(options.network, model::Inputs::channels_driven(options.inputs), seed_of(options),
                                 comm);
}

template <class T>
Assembly<T>::Assembly(const config::SimulateOptions& options, const RecordPaths& paths,
                      const parallel::Communicator& comm)
    : options_(options), comm_(comm), row_times_(row_times(options.time)), network_(make_network<T>(options, comm)) {
  check_network(options, network_);
  if (options.observation) observation_.emplace(*options.observation, network_.rank, seed_of(options));
  recorder_ = std::make_unique<Recorder<T>>(typename Recorder<T>::Parts{.output = options.output,
                                                                        .network = network_,
                                                                        .observation = observation(),
                                                                        .inputs = make_inputs(),
                                                                        .row_times = row_times_,
                                                                        .trials = options.time.trials,
                                                                        .paths = paths},
                                            comm);
  make_engine();
}

template <class T>
model::Inputs Assembly<T>::make_inputs() const {
  return model::Inputs(options_.inputs, options_.time.trials, options_.time.step, network_.inputs, seed_of(options_));
}

template <class T>
void Assembly<T>::make_engine() {
  const auto& method = options_.integration.method;
  const auto initial = make_initial_state(options_.initial, options_.time.trials, network_.rank, seed_of(options_));
  auto bulk = model::make_bulk(options_.network.bulk, network_.partition, comm_, seed_of(options_));
  if constexpr (std::is_same_v<T, double>) {
    if (config::is_sundials(method)) {
      engine_ = make_sundials_engine(options_, network_, std::move(bulk), make_inputs(), initial, row_times_, comm_);
      return;
    }
  }
  typename FixedStepEngine::Setup setup{.step = options_.time.step,
                                        .row_times = row_times_,
                                        .trials = options_.time.trials,
                                        .rank = network_.rank,
                                        .stop = options_.stop};
  LatentNoise latent_noise(options_.noise, network_.rank, seed_of(options_));
  if (options_.integration.space == config::Space::latent) {
    engine_ = std::make_unique<LatentStepEngine<T>>(
        std::move(setup), network_, make_inputs(), initial, std::move(latent_noise),
        step_coefficients(method, options_.time.step, network_.shared_tau, network_.leak, network_.decay), comm_);
    return;
  }
  engine_ = std::make_unique<NeuronStepEngine<T>>(
      std::move(setup), network_, std::move(bulk), make_inputs(), initial,
      typename NeuronStepEngine<T>::Physics{.method = method,
                                            .neuron_noise = options_.noise.neuron,
                                            .latent_noise = std::move(latent_noise),
                                            .seed = seed_of(options_)},
      comm_);
}

template void check_network(const config::SimulateOptions&, const model::Network<double>&);
template void check_network(const config::SimulateOptions&, const model::Network<float>&);
template class Assembly<double>;
template class Assembly<float>;
template model::Network<double> make_network(const config::SimulateOptions&, const parallel::Communicator&);
template model::Network<float> make_network(const config::SimulateOptions&, const parallel::Communicator&);

}  // namespace rankflow::simulate
