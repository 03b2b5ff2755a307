#pragma once
#include <string_view>
#include <vector>

namespace rankflow::model {

/// Symmetric square root S of a covariance matrix (S S = C), by eigenvalues, so that singular matrices pass.
/// `key` names the matrix in messages. Throws ConfigurationError when C is not square, not finite, not
/// symmetric or has an eigenvalue below -1e-10 of the largest one.
std::vector<std::vector<double>> square_root(const std::vector<std::vector<double>>& covariance, std::string_view key);

}  // namespace rankflow::model
