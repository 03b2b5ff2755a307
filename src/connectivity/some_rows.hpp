#pragma once
#include <cstdint>

#include <Eigen/Core>

#include "connectivity/feature_basis.hpp"
#include "connectivity/visited_states.hpp"

namespace rankflow::connectivity {

/// Evenly spaced visited rows, and what gives any neuron's features in the basis there.
struct SomeRows {
  VisitedStates states;
  /// (Q P)ᵀ [S, rows]: a neuron's features at the interpolation rows times this are its features in the basis.
  Eigen::MatrixXd reduction;
};

SomeRows some_rows(const VisitedStates& states, const FeatureBasis& basis, std::int64_t count);

}  // namespace rankflow::connectivity
