#include "simulate/latent_step_engine.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "io/checkpoint_store.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {

template <class T>
LatentStepEngine<T>::LatentStepEngine(Setup setup, const model::Network<T>& network, model::Inputs inputs,
                                      const InitialState& initial, LatentNoise noise, StepCoefficients coefficients,
                                      const parallel::Communicator& comm)
    : FixedStepEngine(std::move(setup)),
      network_(network),
      comm_(comm),
      inputs_(std::move(inputs)),
      noise_(std::move(noise)),
      coefficients_(coefficients),
      z_(initial.latent),
      v_(static_cast<std::size_t>(trials()) * static_cast<std::size_t>(network.inputs), 0.0),
      u_(static_cast<std::size_t>(network.inputs)),
      sums_(z_.size()),
      z_weights_(z_.size()),
      v_weights_(v_.size()),
      tile_sums_(static_cast<std::size_t>(network.rank)),
      population_sum_(z_.size()) {
  for (std::size_t trial = 0; trial < static_cast<std::size_t>(trials()); ++trial)
    if (this->setup().raw_inputs) set_inputs(trial, 0);
}

template <class T>
void LatentStepEngine<T>::set_inputs(std::size_t trial, std::int64_t step) {
  const auto inputs = static_cast<std::size_t>(network_.inputs);
  inputs_.at_step(static_cast<std::int64_t>(trial), step, std::span(v_).subspan(trial * inputs, inputs));
}

/// v of the next step.
template <class T>
void LatentStepEngine<T>::advance_inputs(std::size_t trial) {
  if (setup().raw_inputs) return set_inputs(trial, step() + 1);
  const auto inputs = static_cast<std::size_t>(network_.inputs);
  inputs_.at_step(static_cast<std::int64_t>(trial), step(), u_);
  for (std::size_t k = 0; k < inputs; ++k) {
    double& v = v_[trial * inputs + k];
    v += coefficients_.gain * (u_[k] - coefficients_.leak * v);
  }
}

template <class T>
void LatentStepEngine<T>::sum_over_neurons() {
  const auto rank = static_cast<std::size_t>(network_.rank);
  const auto inputs = static_cast<std::size_t>(network_.inputs);
  std::transform(z_.begin(), z_.end(), z_weights_.begin(), [](double value) { return static_cast<T>(value); });
  std::transform(v_.begin(), v_.end(), v_weights_.begin(), [](double value) { return static_cast<T>(value); });
  for (std::int64_t tile = 0; tile < network_.partition.tiles(); ++tile) {
    const auto weights = tile_weights(network_, tile);
    for (std::size_t trial = 0; trial < static_cast<std::size_t>(trials()); ++trial) {
      if (!running(static_cast<std::int64_t>(trial))) continue;
      latent_tile(network_.activation, weights, z_weights_.data() + trial * rank, v_weights_.data() + trial * inputs,
                  tile_sums_.data());
      for (std::size_t r = 0; r < rank; ++r) population_sum_.add(trial * rank + r, static_cast<double>(tile_sums_[r]));
    }
  }
  population_sum_.reduce(comm_, sums_);
}

template <class T>
void LatentStepEngine<T>::advance() {
  const auto rank = static_cast<std::size_t>(network_.rank);
  sum_over_neurons();
  require_finite(sums_, "latent drive kappa");
  const double neurons = static_cast<double>(network_.neurons());
  const auto [leak, gain, noise_scale] = coefficients_;
  for (std::size_t trial = 0; trial < static_cast<std::size_t>(trials()); ++trial) {
    if (!running(static_cast<std::int64_t>(trial))) continue;
    for (std::size_t r = 0; r < rank; ++r) {
      double& z = z_[trial * rank + r];
      z += gain * (sums_[trial * rank + r] / neurons - leak * z);
    }
    noise_.add(static_cast<std::int64_t>(trial), step(), noise_scale, std::span(z_).subspan(trial * rank, rank));
    if (network_.inputs > 0) advance_inputs(trial);
  }
  require_finite(z_, "latent z");
}

template <class T>
void LatentStepEngine<T>::latents(std::span<double> z) const {
  std::copy(z_.begin(), z_.end(), z.begin());
}

template <class T>
void LatentStepEngine<T>::tile_potentials(int trial, std::int64_t tile, double* x) const {
  alignas(64) std::array<T, parallel::tile_size> potentials{};
  const auto rank = static_cast<std::size_t>(network_.rank);
  const auto inputs = static_cast<std::size_t>(network_.inputs);
  std::vector<T> z(rank);
  std::vector<T> v(inputs);
  const auto index = static_cast<std::size_t>(trial);
  for (std::size_t r = 0; r < rank; ++r) z[r] = static_cast<T>(z_[index * rank + r]);
  for (std::size_t k = 0; k < inputs; ++k) v[k] = static_cast<T>(v_[index * inputs + k]);
  drive_tile(tile_weights(network_, tile), z.data(), v.data(), potentials.data());
  std::copy(potentials.begin(), potentials.end(), x);
}

template <class T>
std::span<const double> LatentStepEngine<T>::inputs(int trial) const {
  const auto inputs = static_cast<std::size_t>(network_.inputs);
  return std::span(v_).subspan(static_cast<std::size_t>(trial) * inputs, inputs);
}

template <class T>
void LatentStepEngine<T>::save_state(io::CheckpointWriter& checkpoint) const {
  checkpoint.values<double>("latent", z_);
  checkpoint.values<double>("filtered_input", v_);
}

template <class T>
void LatentStepEngine<T>::resume_state(const io::CheckpointReader& checkpoint) {
  auto z = checkpoint.values<double>("latent");
  auto v = checkpoint.values<double>("filtered_input");
  if (z.size() != z_.size() || v.size() != v_.size())
    throw InputDataError("the checkpoint holds {} latents and {} filtered inputs, this run has {} and {}", z.size(),
                         v.size(), z_.size(), v_.size());
  z_ = std::move(z);
  v_ = std::move(v);
}

template class LatentStepEngine<double>;
template class LatentStepEngine<float>;

}  // namespace rankflow::simulate
