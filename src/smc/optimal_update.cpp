#include "smc/optimal_update.hpp"

#include <cmath>
#include <numbers>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include "core/error.hpp"

namespace rankflow::smc {

namespace {

Matrix symmetric_part(const Matrix& a) {
  return 0.5 * (a + a.transpose());
}

/// Moore-Penrose inverse of a symmetric positive semi-definite matrix.
Matrix pseudo_inverse(const Matrix& a) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(symmetric_part(a));
  const double floor = 1e-12 * std::max(eigen.eigenvalues().cwiseAbs().maxCoeff(), 1e-300);
  const Vector inverse = eigen.eigenvalues().unaryExpr([floor](double v) { return v > floor ? 1.0 / v : 0.0; });
  return eigen.eigenvectors() * inverse.asDiagonal() * eigen.eigenvectors().transpose();
}

/// Adjoint of a matrix given that of its lower Cholesky factor (Murray 2016, eq. 10), symmetric.
Matrix cholesky_adjoint(const Matrix& factor, const Matrix& factor_adjoint) {
  Matrix phi = (factor.transpose() * factor_adjoint).triangularView<Eigen::Lower>();
  phi.diagonal() *= 0.5;
  const auto lower = factor.triangularView<Eigen::Lower>();
  const Matrix left = lower.transpose().solve(phi);
  return symmetric_part(lower.transpose().solve(left.transpose()));
}

}  // namespace

namespace {

/// Rows [first, first + Rows) of a b for b with Columns columns: sums in registers, several rows for their latency.
template <int Rows, int Columns>
void multiply_rows(const Matrix& a, const Matrix& b, Eigen::Index first, Matrix& product) {
  double sums[Rows][Columns] = {};
  for (Eigen::Index k = 0; k < a.cols(); ++k)
    for (int i = 0; i < Rows; ++i)
      for (int j = 0; j < Columns; ++j) sums[i][j] += a(first + i, k) * b(k, j);
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Columns; ++j) product(first + i, j) = sums[i][j];
}

template <int Columns>
Matrix multiply(const Matrix& a, const Matrix& b) {
  Matrix product(a.rows(), Columns);
  Eigen::Index row = 0;
  for (; row + 4 <= a.rows(); row += 4) multiply_rows<4, Columns>(a, b, row, product);
  for (; row < a.rows(); ++row) multiply_rows<1, Columns>(a, b, row, product);
  return product;
}

}  // namespace

Matrix times_by_row(const Matrix& a, const Matrix& b) {
  switch (b.cols()) {
    case 1:
      return multiply<1>(a, b);
    case 2:
      return multiply<2>(a, b);
    case 3:
      return multiply<3>(a, b);
    case 4:
      return multiply<4>(a, b);
    default:
      break;
  }
  Matrix product = Matrix::Zero(a.rows(), b.cols());
  for (Eigen::Index i = 0; i < a.rows(); ++i)
    for (Eigen::Index k = 0; k < a.cols(); ++k)
      for (Eigen::Index j = 0; j < b.cols(); ++j) product(i, j) += a(i, k) * b(k, j);
  return product;
}

OptimalUpdate::OptimalUpdate(const Matrix& noise_cholesky, const Matrix& information, double log_variance,
                             std::int64_t observed)
    : noise_cholesky_(noise_cholesky), information_(information) {
  const auto rank = noise_cholesky.rows();
  const Matrix identity = Matrix::Identity(rank, rank);
  const Matrix inverse_factor = noise_cholesky.triangularView<Eigen::Lower>().solve(identity);
  precision_of_noise_ = inverse_factor.transpose() * inverse_factor;
  const Eigen::LLT<Eigen::MatrixXd> precision(precision_of_noise_ + information);
  if (precision.info() != Eigen::Success || !precision_of_noise_.allFinite() || !information.allFinite())
    throw NumericalError(
        "the covariance of the latents given an observation is not positive definite; the noise of "
        "the transition or of the observations has collapsed");
  posterior_ = precision.solve(Eigen::MatrixXd(identity));
  posterior_ = symmetric_part(posterior_);
  spread_ = Eigen::LLT<Eigen::MatrixXd>(posterior_).matrixL();
  gain_ = identity - posterior_ * information;
  weight_information_ = symmetric_part(information * gain_);
  centring_ = pseudo_inverse(weight_information_);
  const double log_noise = 2 * noise_cholesky.diagonal().array().log().sum();
  const double log_precision = 2 * Matrix(precision.matrixL()).diagonal().array().log().sum();
  constant_ = -0.5 * (static_cast<double>(observed) * std::log(2 * std::numbers::pi) + log_variance + log_noise +
                      log_precision);
}

namespace {

/// sum_j a(i, j) b(i, j), in the order of j.
double row_dot(const Matrix& a, const Matrix& b, Eigen::Index i) {
  double sum = 0;
  for (Eigen::Index j = 0; j < a.cols(); ++j) sum += a(i, j) * b(i, j);
  return sum;
}

}  // namespace

OptimalUpdate::Terms OptimalUpdate::terms(const Matrix& projections, const Vector& misfit) const {
  Terms terms;
  terms.shift = times_by_row(projections, posterior_);
  terms.slope = projections - times_by_row(terms.shift, information_);
  terms.centre = times_by_row(terms.slope, centring_);
  terms.level.resize(misfit.size());
  terms.peak.resize(misfit.size());
  for (Eigen::Index i = 0; i < misfit.size(); ++i) {
    // Never negative but for rounding: a nat below 0, no digit of the likelihood is left.
    const double distance = misfit[i] - row_dot(projections, terms.shift, i);
    if (!(distance > -1))
      throw NumericalError(
          "the likelihood of an observation cannot be computed: observation variances have collapsed "
          "beside the misfit of {:.3g} (in squared standard deviations)",
          misfit[i]);
    terms.level[i] = constant_ - 0.5 * distance;
    terms.peak[i] = terms.level[i] + 0.5 * row_dot(terms.slope, terms.centre, i);
  }
  return terms;
}

OptimalUpdate::InputAdjoints OptimalUpdate::adjoint(const Matrix& projections, const Terms& terms,
                                                    const CoefficientAdjoints& adjoints) const {
  const Matrix& s = posterior_;
  const Matrix& g = information_;
  const double level_sum = adjoints.level.sum();
  const Matrix weight = symmetric_part(adjoints.weight_information);

  InputAdjoints result;
  result.misfit = -0.5 * adjoints.level;
  result.log_variance = -0.5 * level_sum;
  result.projections = adjoints.slope + 0.5 * adjoints.level.asDiagonal() * terms.shift;
  const Matrix shift = adjoints.shift + 0.5 * adjoints.level.asDiagonal() * projections - adjoints.slope * g;
  result.projections += shift * s;

  Matrix information =
      -adjoints.slope.transpose() * terms.shift + weight - weight * g * s - s * g * weight - s * adjoints.gain;
  const Matrix posterior =
      projections.transpose() * shift - g * weight * g - adjoints.gain * g + cholesky_adjoint(spread_, adjoints.spread);
  const Matrix precision = -s * symmetric_part(posterior) * s - 0.5 * level_sum * s;
  information += precision;
  result.information = symmetric_part(information);
  const Matrix noise = -precision_of_noise_ * precision * precision_of_noise_ - 0.5 * level_sum * precision_of_noise_;
  result.noise_cholesky = (2.0 * symmetric_part(noise) * noise_cholesky_).triangularView<Eigen::Lower>();
  return result;
}

}  // namespace rankflow::smc
