#include "simulate/neuron_step_engine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/error.hpp"
#include "io/checkpoint_store.hpp"
#include "parallel/draws.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {

using parallel::tile_size;

template <class T>
NeuronStepEngine<T>::NeuronStepEngine(Setup setup, const model::Network<T>& network, std::unique_ptr<model::Bulk> bulk,
                                      model::Inputs inputs, const InitialState& initial, Physics physics,
                                      const parallel::Communicator& comm)
    : FixedStepEngine(std::move(setup)),
      network_(network),
      comm_(comm),
      bulk_(std::move(bulk)),
      inputs_(std::move(inputs)),
      physics_(std::move(physics)),
      potentials_(network.partition, trials()),
      projection_(network, comm),
      kappa_(static_cast<std::size_t>(trials()) * static_cast<std::size_t>(network.rank)),
      drive_(static_cast<std::size_t>(network.rank)),
      input_(static_cast<std::size_t>(network.inputs)),
      drive_weights_(kappa_.size()),
      input_weights_(static_cast<std::size_t>(trials()) * static_cast<std::size_t>(network.inputs)),
      tile_sums_(static_cast<std::size_t>(network.rank)),
      population_sum_(kappa_.size()),
      noise_stream_(physics_.seed, parallel::Purpose::neuron_noise) {
  if (bulk_ && !std::is_same_v<T, double>) throw InternalError("a random bulk needs double precision");
  set_coefficients();
  for (int trial = 0; bulk_ && trial < trials(); ++trial) {
    rates_.emplace_back(network.partition, 1);
    recurrent_.emplace_back(network.partition, 1);
  }
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile)
    for (int trial = 0; trial < trials(); ++trial)
      initial_tile(initial, network, trial, tile, potentials_.tile(tile, trial));
  read_out();
}

template <class T>
void NeuronStepEngine<T>::set_coefficients() {
  const auto of_tau = [&](double tau) {
    return step_coefficients(physics_.method, setup().step, tau, network_.leak, network_.decay);
  };
  coefficients_ = of_tau(network_.shared_tau);
  if (!network_.has_own_tau()) return;
  gains_ = model::NeuronArray<T>(network_.partition, 1);
  for (std::int64_t i = 0; i < network_.partition.count(); ++i)
    gains_.at(i, 0) = static_cast<T>(of_tau(static_cast<double>(network_.tau.at(i, 0))).gain);
}

template <class T>
void NeuronStepEngine<T>::read_out() {
  for (std::int64_t tile = 0; tile < network_.partition.tiles(); ++tile) {
    const auto weights = tile_weights(network_, tile);
    for (std::size_t trial = 0; trial < static_cast<std::size_t>(trials()); ++trial) {
      T* rates = nullptr;
      if constexpr (std::is_same_v<T, double>)
        if (bulk_) rates = rates_[trial].tile(tile, 0);
      readout_tile(network_.activation, weights, potentials_.tile(tile, static_cast<int>(trial)), rates,
                   tile_sums_.data());
      for (std::size_t r = 0; r < tile_sums_.size(); ++r)
        population_sum_.add(trial * tile_sums_.size() + r, static_cast<double>(tile_sums_[r]));
    }
  }
  reduce();
}

template <class T>
void NeuronStepEngine<T>::reduce() {
  population_sum_.reduce(comm_, kappa_);
  for (double& kappa : kappa_) kappa /= static_cast<double>(network_.neurons());
}

/// Latent noise moves x by m (L eps); written as a change of kappa it costs nothing per neuron.
template <class T>
void NeuronStepEngine<T>::prepare_drive() {
  const std::size_t rank = drive_.size();
  const std::size_t inputs = input_.size();
  for (std::size_t trial = 0; trial < static_cast<std::size_t>(trials()); ++trial) {
    if (!running(static_cast<std::int64_t>(trial))) continue;
    std::copy_n(kappa_.begin() + static_cast<std::ptrdiff_t>(trial * rank), rank, drive_.begin());
    physics_.latent_noise.add(static_cast<std::int64_t>(trial), step(), coefficients_.noise_scale / coefficients_.gain,
                              drive_);
    for (std::size_t r = 0; r < rank; ++r) drive_weights_[trial * rank + r] = static_cast<T>(drive_[r]);
    if (inputs == 0) continue;
    inputs_.at_step(static_cast<std::int64_t>(trial), step(), input_);
    for (std::size_t k = 0; k < inputs; ++k) input_weights_[trial * inputs + k] = static_cast<T>(input_[k]);
  }
}

template <class T>
const T* NeuronStepEngine<T>::noise_of(std::int64_t tile, std::int64_t trial, T* buffer) const {
  if (physics_.neuron_noise == 0.0) return nullptr;
  parallel::normal<T>(noise_stream_,
                      {.trial = static_cast<std::uint32_t>(trial), .step = static_cast<std::uint32_t>(step())},
                      static_cast<std::uint64_t>(network_.partition.tile_begin(tile)),
                      std::span<T>(buffer, static_cast<std::size_t>(tile_size)));
  if (!network_.has_own_tau()) {
    const T scale = static_cast<T>(physics_.neuron_noise * coefficients_.noise_scale);
    for (std::int64_t i = 0; i < tile_size; ++i) buffer[i] *= scale;
    return buffer;
  }
  // Both methods' noise_scale^2 is a function of their gain g: 2 g (Euler), g (2 - leak g) (exponential Euler).
  const T leak = physics_.method == config::Method::euler ? T{0} : static_cast<T>(network_.leak);
  const T sigma = static_cast<T>(physics_.neuron_noise);
  const T* gains = gains_.tile(tile, 0);
  for (std::int64_t i = 0; i < tile_size; ++i) buffer[i] *= sigma * std::sqrt(gains[i] * (T{2} - leak * gains[i]));
  return buffer;
}

template <class T>
void NeuronStepEngine<T>::advance_tile(std::int64_t tile) {
  alignas(64) std::array<T, tile_size> noise;
  const auto weights = tile_weights(network_, tile);
  const std::size_t rank = drive_.size();
  for (std::size_t trial = 0; trial < static_cast<std::size_t>(trials()); ++trial) {
    if (!running(static_cast<std::int64_t>(trial))) continue;
    TileUpdate<T> update{.leak = static_cast<T>(coefficients_.leak), .gain = static_cast<T>(coefficients_.gain)};
    if (network_.has_own_tau()) update.gains = gains_.tile(tile, 0);
    update.noise = noise_of(tile, static_cast<std::int64_t>(trial), noise.data());
    T* rates = nullptr;
    if constexpr (std::is_same_v<T, double>) {
      if (bulk_) {
        update.extra = recurrent_[trial].tile(tile, 0);
        rates = rates_[trial].tile(tile, 0);
      }
    }
    step_tile(network_.activation, weights, update, drive_weights_.data() + trial * rank,
              input_weights_.data() + trial * input_.size(), potentials_.tile(tile, static_cast<int>(trial)), rates,
              tile_sums_.data());
    for (std::size_t r = 0; r < rank; ++r) population_sum_.add(trial * rank + r, static_cast<double>(tile_sums_[r]));
  }
}

template <class T>
void NeuronStepEngine<T>::advance() {
  prepare_drive();
  for (std::size_t trial = 0; trial < recurrent_.size(); ++trial) {
    if (!running(static_cast<std::int64_t>(trial))) continue;
    std::ranges::fill(recurrent_[trial].values(), 0.0);
    bulk_->add_product(rates_[trial], recurrent_[trial]);
  }
  for (std::int64_t tile = 0; tile < network_.partition.tiles(); ++tile) advance_tile(tile);
  reduce();
  require_finite(kappa_, "latent drive kappa");
}

template <class T>
void NeuronStepEngine<T>::latents(std::span<double> z) const {
  projection_.project_columns(potentials_, 0, trials(), z);
}

template <class T>
void NeuronStepEngine<T>::tile_potentials(int trial, std::int64_t tile, double* x) const {
  const T* potentials = potentials_.tile(tile, trial);
  std::copy(potentials, potentials + tile_size, x);
}

template <class T>
void NeuronStepEngine<T>::save_state(io::CheckpointWriter& checkpoint) const {
  checkpoint.neurons<T>("potentials", network_.partition, static_cast<std::size_t>(trials()), potentials_.values());
}

template <class T>
void NeuronStepEngine<T>::resume_state(const io::CheckpointReader& checkpoint) {
  checkpoint.neurons<T>("potentials", network_.partition, static_cast<std::size_t>(trials()), potentials_.values());
  // Padding stays at 0 in a fresh state, but noise moved it before the stop; it has no weight in any sum.
  read_out();
}

template class NeuronStepEngine<double>;
template class NeuronStepEngine<float>;

}  // namespace rankflow::simulate
