#pragma once
#include <Eigen/Core>

#include "connectivity/features.hpp"

namespace rankflow::connectivity {

/// phi_i(t) [rows, this rank's neurons].
Eigen::MatrixXd feature_matrix(const Loadings& loadings, const StateRows& rows);

}  // namespace rankflow::connectivity
