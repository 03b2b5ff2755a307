#pragma once
#include <span>

#include "smc/latent_model.hpp"
#include "smc/optimal_update.hpp"

namespace rankflow::smc {

/// The matrices of a LatentModel at given parameters, in double.
struct StateSpace {
  double decay = 0;         ///< a
  Matrix step_weights;      ///< [N, Q]: m beside the input weights
  Matrix n;                 ///< [N, R]
  Vector bias;              ///< [N]
  Vector initial_mean;      ///< [R]
  Matrix initial_noise;     ///< L0
  Matrix transition_noise;  ///< L
  /// Readout [D, Q]: s = readout zeta + observation_bias; for rates the potentials of the observed neurons instead,
  /// with s = scale phi(readout zeta, neuron bias) + observation_bias.
  Matrix readout;
  Vector scale;             ///< [D] weight of the observed neuron, rates and currents only
  Vector observation_bias;  ///< [D]
  Vector variance;          ///< [D], Gaussian only

  StateSpace() = default;
  /// At the parameters given. Throws NumericalError naming the first parameter that is not finite.
  StateSpace(const LatentModel& model, std::span<const double> parameters);
};

/// Adjoints of the same quantities; `variance` is that of the variances, noise factors lower triangular.
struct StateSpaceAdjoint : StateSpace {
  /// Zeros.
  explicit StateSpaceAdjoint(const LatentModel& model);
  void clear();
  /// Adds to the adjoint of the flat parameter vector.
  void add_to(const LatentModel& model, const StateSpace& values, std::span<double> parameters) const;
};

/// v(t) from u(t) [T, I] of one trial: u itself, or filtered, v(t+1) = a v(t) + (1 - a) u(t), v(0) = 0.
void network_inputs(config::InputPath path, double decay, std::int64_t inputs, std::span<const double> u,
                    std::span<double> v);
/// Adjoint of the decay, given that of v; v_adjoint is used up.
double network_inputs_adjoint(config::InputPath path, double decay, std::int64_t inputs, std::span<const double> u,
                              std::span<const double> v, std::span<double> v_adjoint);

}  // namespace rankflow::smc
