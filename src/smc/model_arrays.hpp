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

  void take(const StateSpace& space);
  /// Of n^T phi(m z + b v, d).
  StepWeights<T> transition(const LatentModel& model) const;
  Readout<T> observation(const LatentModel& model) const;
};

}  // namespace rankflow::smc
