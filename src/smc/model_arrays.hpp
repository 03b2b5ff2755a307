#pragma once
#include <vector>

#include "smc/latent_model.hpp"
#include "smc/low_rank_step.hpp"
#include "smc/readout_density.hpp"
#include "smc/state_space.hpp"

namespace rankflow::smc {

/// The weights of a model in the precision of the particles, as the kernels want them.
template <class T>
struct ModelArrays {
  std::vector<T> step_weights, n, bias, readout, scale, observation_bias, precision;
  T decay = 0;

  PreparedStep<T> transition;  ///< n^T phi(m z + b v, d), of these arrays

  ModelArrays() = default;
  ModelArrays(ModelArrays&&) noexcept = default;
  ModelArrays& operator=(ModelArrays&&) noexcept = default;

  void take(const LatentModel& model, const StateSpace& space);
  Readout<T> observation(const LatentModel& model) const;
};

}  // namespace rankflow::smc
