#pragma once
#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "connectivity/loadings.hpp"
#include "connectivity/visited_states.hpp"

namespace rankflow::connectivity {

/// E[n | m, b, d] under the ridge, as a function of the loadings: n = sum_s phi(m z_s + b v_s, d) w_s over few (or all)
/// visited rows s. May be asked for any neuron, also for those the solution has not seen.
struct ConditionalMean {
  int rank = 0;
  int inputs = 0;
  std::vector<double> z;    ///< [S, R]
  std::vector<double> v;    ///< [S, I]
  Eigen::MatrixXd weights;  ///< w [S, R]

  /// n [N, R] of this rank's neurons. Throws InputDataError for loadings of another rank.
  model::NeuronArray<double> operator()(const Loadings& loadings) const;
  /// The same into an array of this partition and rank: allocates nothing but two tiles' worth.
  void evaluate(const Loadings& loadings, model::NeuronArray<double>& n) const;
};

}  // namespace rankflow::connectivity
