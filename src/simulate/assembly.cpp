#include "simulate/assembly.hpp"

#include <type_traits>

#include "model/build_network.hpp"
#include "simulate/latent_step_engine.hpp"
#include "simulate/neuron_step_engine.hpp"
#include "simulate/schedule.hpp"
#include "simulate/sundials_engine.hpp"
#include "simulate/validation.hpp"

namespace rankflow::simulate {
namespace {

std::uint64_t seed_of(const config::SimulateOptions& options) {
  return static_cast<std::uint64_t>(options.run.seed);
}

}  // namespace

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
                                        .steps = step_count(options_.time),
                                        .trials = options_.time.trials,
                                        .rank = network_.rank,
                                        .stop = options_.stop,
                                        .raw_inputs = options_.integration.input_path == config::InputPath::raw};
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

template class Assembly<double>;
template class Assembly<float>;
template model::Network<double> make_network(const config::SimulateOptions&, const parallel::Communicator&);
template model::Network<float> make_network(const config::SimulateOptions&, const parallel::Communicator&);

}  // namespace rankflow::simulate
