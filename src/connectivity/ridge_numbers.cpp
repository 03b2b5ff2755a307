#include <cmath>
#include <numbers>

#include "connectivity/ridge_forms.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {

Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> targets_of(
    const VisitedStates& states) {
  return {states.y.data(), states.rows, states.rank};
}

Factor factor_of(Eigen::MatrixXd gram, double penalty) {
  gram.diagonal().array() += penalty;
  Factor factor(gram);
  if (factor.info() != Eigen::Success)
    throw NumericalError(
        "the ridge system of {} equations is not positive definite in double precision at the penalty {:.3g}: raise "
        "the "
        "penalty",
        factor.rows(), penalty);
  return factor;
}

void fill_numbers(const Factor& factor, double square, const VisitedStates& states, const Loadings& loadings,
                  RidgeSolution& solution) {
  const double equations = static_cast<double>(factor.rows());
  const double rows = static_cast<double>(states.rows);
  const double components = static_cast<double>(states.rank);
  const Eigen::MatrixXd inverse = factor.matrixL().solve(Eigen::MatrixXd::Identity(factor.rows(), factor.rows()));
  const double log_determinant =
      2.0 * factor.matrixLLT().diagonal().array().log().sum() - equations * std::log(solution.penalty);
  solution.effective_parameters = equations - solution.penalty * inverse.squaredNorm();
  solution.noise_variance = square / components;
  solution.prior_variance =
      solution.noise_variance * static_cast<double>(loadings.neurons()) / (solution.penalty * rows);
  solution.log_evidence =
      -0.5 * components * (rows * (std::log(2.0 * std::numbers::pi * solution.noise_variance) + 1.0) + log_determinant);
}

}  // namespace rankflow::connectivity
