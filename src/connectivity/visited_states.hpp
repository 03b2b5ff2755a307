#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config/simulate_options.hpp"

namespace rankflow::connectivity {

/// Latents as a simulation or a fit saved them: `trials` x `steps` rows, one row per time step.
struct Trajectories {
  std::int64_t trials = 0;
  std::int64_t steps = 0;
  int rank = 0;                        ///< R
  int inputs = 0;                      ///< I
  std::span<const double> latents;     ///< z [trial, time, R]
  std::span<const double> signals;     ///< u [trial, time, I]; empty when there are no inputs
  std::span<const std::uint8_t> mask;  ///< [trial, time], 0: row is not part of the trial; empty: all are
};

/// What the latents visited, row after row: where they were, what they saw, and where the connectivity drove them.
/// The same on every rank.
struct VisitedStates {
  std::int64_t rows = 0;     ///< T
  int rank = 0;              ///< R
  int inputs = 0;            ///< I
  double alpha = 0.0;        ///< time step / time constant
  std::int64_t dropped = 0;  ///< pairs of successive rows left out: masked, or not a number
  std::vector<double> z{};   ///< [T, R]
  std::vector<double> v{};   ///< [T, I]: what neurons see of the inputs
  std::vector<double> y{};   ///< [T, R]: (z(t+1) - (1 - alpha) z(t)) / alpha = (1/N) n^T phi(m z + b v, d)
};

/// One row per pair of successive rows of a trial; pairs with a masked row or one that holds a NaN are dropped.
/// `filtered` inputs follow u with the leak, v(t+1) = (1 - alpha) v(t) + alpha u(t) with v(0) = 0, as simulations do;
/// `raw`: v = u. Throws ConfigurationError for alpha outside (0, 1]; InputDataError for arrays of other lengths than
/// told, for values beyond 1e100 (an unstable network), latents that never change, or fewer rows than R + I + 1.
VisitedStates visited_states(const Trajectories& trajectories, double alpha,
                             config::InputPath path = config::InputPath::filtered);

/// Throws InternalError when lengths do not agree, InputDataError for a value that is not finite or fewer rows than
/// R + I + 1: for states that were put together in another way.
void check_visited_states(const VisitedStates& states);

}  // namespace rankflow::connectivity
