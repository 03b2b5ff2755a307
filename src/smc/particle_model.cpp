#include "smc/particle_model.hpp"

#include <algorithm>

namespace rankflow::smc {

namespace {}  // namespace

template <class T>
ParticleModel<T>::ParticleModel(const LatentModel& model, std::span<const double> parameters, const FilterData& data,
                                const ParticleLayout& layout)
    : model_(model), times_(data.times) {
  const StateSpace space(model, parameters);
  arrays_.take(model, space);
  for (Eigen::Index i = 0; i < space.transition_noise.size(); ++i)
    noise_.push_back(static_cast<T>(space.transition_noise.data()[i]));
  if (layout.local_blocks() == 0 || model.inputs() == 0) return;
  const Block last = layout.block(layout.end_block() - 1);
  first_trial_ = layout.block(layout.first_block()).first_trial;
  const auto per_trial = static_cast<std::size_t>(times_ * model.inputs());
  const auto trials = static_cast<std::size_t>(last.first_trial + last.trials - first_trial_);
  inputs_.resize(trials * per_trial);
  for (std::size_t trial = 0; trial < trials; ++trial)
    network_inputs(model.options().network.input_path, space.decay, model.inputs(),
                   data.inputs.subspan((static_cast<std::size_t>(first_trial_) + trial) * per_trial, per_trial),
                   std::span(inputs_).subspan(trial * per_trial, per_trial));
}

template <class T>
void ParticleModel<T>::transition_mean(const T* zeta, std::int64_t lanes, T* mu) const {
  low_rank_step(arrays_.transition, zeta, lanes, mu);
  for (std::int64_t r = 0; r < model_.rank(); ++r)
    for (std::int64_t p = 0; p < lanes; ++p) mu[r * L + p] += arrays_.decay * zeta[r * L + p];
}

template <class T>
void ParticleModel<T>::add_noise(const T* eps, std::int64_t lanes, T* z) const {
  const std::int64_t rank = model_.rank();
  for (std::int64_t r = 0; r < rank; ++r) {
    for (std::int64_t q = 0; q <= r; ++q) {
      const T factor = noise_[static_cast<std::size_t>(r * rank + q)];
      for (std::int64_t p = 0; p < lanes; ++p) z[r * L + p] += factor * eps[q * L + p];
    }
  }
}

template <class T>
void ParticleModel<T>::fill_inputs(const Block& block, std::int64_t time, T* zeta) const {
  const std::int64_t inputs = model_.inputs();
  for (std::int64_t trial = 0; trial < block.trials; ++trial) {
    const std::int64_t row = (block.first_trial + trial - first_trial_) * times_ + time;
    for (std::int64_t i = 0; i < inputs; ++i)
      std::fill_n(zeta + (model_.rank() + i) * L + trial * block.particles, block.particles,
                  static_cast<T>(inputs_[static_cast<std::size_t>(row * inputs + i)]));
  }
}

template <class T>
void ParticleModel<T>::observation_mean(const T* zeta, std::int64_t lanes, T* mean) const {
  readout_mean(arrays_.observation(model_), zeta, lanes, mean);
}

template class ParticleModel<float>;
template class ParticleModel<double>;

}  // namespace rankflow::smc
