#pragma once
#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "connectivity/features.hpp"
#include "connectivity/loadings.hpp"
#include "connectivity/visited_states.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::connectivity {

struct FeatureBasisOptions {
  /// Root mean square error of features over visited rows and probe neurons, relative to that of the features.
  double tolerance = 1e-7;
  std::int64_t probe_neurons = 1024;   ///< neurons from which basis functions are chosen
  std::int64_t candidate_rows = 4096;  ///< visited rows among which interpolation rows are chosen
  std::int64_t maximum_functions = 1024;
};

/// Few functions q_1 … q_r of the visited states, orthonormal under (1/T) sum_t q_j(t) q_k(t) = delta_jk, that span the
/// features of neurons up to a tolerance: phi_i(t) ~ sum_j q_j(t) c_ij. The functions are those of r chosen neurons;
/// the coefficients c_i = P phi_i[S] follow from the neuron's features at few rows S (empirical interpolation, Barrault
/// et al. 2004, with more rows than functions and least squares; rows by pivoted QR, Drmac & Gugercin 2016). The same
/// on every rank.
class FeatureBasis {
 public:
  /// Chosen from probe neurons of `loadings`, evenly spaced. Throws ConfigurationError for options out of range and
  /// NumericalError when maximum_functions do not reach the tolerance. Collective.
  FeatureBasis(const VisitedStates& states, const Loadings& loadings, const FeatureBasisOptions& options,
               const parallel::Communicator& comm);

  std::int64_t functions() const noexcept { return values_.cols(); }  ///< r
  std::int64_t rows() const noexcept { return values_.rows(); }       ///< T
  /// q_j(t) [T, r].
  const Eigen::MatrixXd& values() const noexcept { return values_; }
  /// States at the interpolation rows S.
  StateRows interpolation_rows() const noexcept {
    return {static_cast<std::int64_t>(chosen_rows_.size()), z_.data(), v_.data()};
  }
  /// Their places among the visited rows, in the order of choice.
  const std::vector<std::int64_t>& chosen_rows() const noexcept { return chosen_rows_; }
  /// P [r, S].
  const Eigen::MatrixXd& interpolation() const noexcept { return interpolation_; }
  /// Relative error found on probe neurons that had no part in the choice (0 without such neurons).
  double held_out_error() const noexcept { return held_out_error_; }
  /// (1/T) sum_t q_j(t) y_k(t) [r, K] for targets y [T, K] in rows.
  Eigen::MatrixXd project(std::span<const double> y, int columns) const;

 private:
  Eigen::MatrixXd values_;
  std::vector<std::int64_t> chosen_rows_;
  std::vector<double> z_, v_;
  Eigen::MatrixXd interpolation_;
  double held_out_error_ = 0.0;
};

}  // namespace rankflow::connectivity
