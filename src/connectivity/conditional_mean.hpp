#pragma once
#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "connectivity/features.hpp"
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
};

/// n_i += sum_s phi_i(s) w_s for this rank's neurons at the given states, weights [states, columns].
void add_responses(const Loadings& loadings, const StateRows& rows, const Eigen::Ref<const Eigen::MatrixXd>& weights,
                   model::NeuronArray<double>& n);

}  // namespace rankflow::connectivity
