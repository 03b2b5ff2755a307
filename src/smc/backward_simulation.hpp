#pragma once
#include <cstdint>
#include <vector>

#include "smc/filter_history.hpp"

namespace rankflow::smc {

/// Trajectories of the latents given all data, for the trials [first_trial, first_trial + trials) that this rank owns
/// (ParticleLayout::first_owned_trial).
struct LatentTrajectories {
  std::int64_t first_trial = 0, trials = 0, count = 0, times = 0, rank = 0;
  std::vector<double> states;  ///< [trials, M, T, R]
};

/// Backward simulation (Godsill, Doucet & West 2004, algorithm 1): draws `count` trajectories of each trial from the
/// filter's approximation of p(z(0 .. T - 1) | all data), independent of each other given the filter. Works on the
/// particles where they lie: K M transition densities per step and trial. `parameters` and `data` as given to the
/// filter. Equal bits at any rank count. Collective. Throws NumericalError when a density is not finite.
template <class T>
LatentTrajectories simulate_backward(const LatentModel& model, std::span<const double> parameters,
                                     const FilterData& data, FilterHistory<T>& history, std::int64_t count,
                                     const FilterRandomness& randomness);

}  // namespace rankflow::smc
