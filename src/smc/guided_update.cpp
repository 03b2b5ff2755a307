#include "smc/guided_update.hpp"

#include <cmath>

#include "core/error.hpp"

namespace rankflow::smc {

GuidedUpdate::GuidedUpdate(const Matrix& noise_cholesky, const Vector& log_variance)
    : noise_cholesky_(noise_cholesky), encoder_variance_(log_variance.array().exp()) {
  const auto rank = noise_cholesky.rows();
  noise_ = noise_cholesky.rowwise().squaredNorm();
  guidance_ = noise_.array() / (noise_ + encoder_variance_).array();
  const Vector spread = (noise_.array() * (1 - guidance_.array())).sqrt();
  const Matrix inverse_factor = noise_cholesky.triangularView<Eigen::Lower>().solve(Matrix::Identity(rank, rank));
  form_ = inverse_factor.transpose() * inverse_factor;
  gain_ = (1 - guidance_.array()).matrix().asDiagonal();
  spread_ = spread.asDiagonal();
  level_ = spread.array().log().sum() - noise_cholesky.diagonal().array().log().sum();
  if (!form_.allFinite() || !std::isfinite(level_))
    throw NumericalError(
        "the variance of the proposal is not positive and finite; the transition noise or the encoder "
        "has collapsed");
}

Matrix GuidedUpdate::shift(const Matrix& means) const {
  return means * guidance_.asDiagonal();
}

GuidedUpdate::InputAdjoints GuidedUpdate::adjoint(const Matrix& means, const CoefficientAdjoints& adjoints) const {
  const Vector guidance = adjoints.shift.cwiseProduct(means).colwise().sum().transpose() - adjoints.gain.diagonal();
  const Vector spread = adjoints.spread.diagonal() + adjoints.level * spread_.diagonal().cwiseInverse();
  const Vector variance = 0.5 * spread.cwiseQuotient(spread_.diagonal());
  const Vector squared_sum = (noise_ + encoder_variance_).cwiseAbs2();
  const Vector noise = (guidance.cwiseProduct(encoder_variance_) + variance.cwiseProduct(encoder_variance_.cwiseAbs2()))
                           .cwiseQuotient(squared_sum);
  const Vector encoder =
      (variance.cwiseProduct(noise_.cwiseAbs2()) - guidance.cwiseProduct(noise_)).cwiseQuotient(squared_sum);

  InputAdjoints result;
  result.means = adjoints.shift * guidance_.asDiagonal();
  result.log_variance = encoder.cwiseProduct(encoder_variance_);
  const Matrix form = 0.5 * (adjoints.form + adjoints.form.transpose());
  const Matrix covariance = -form_ * form * form_;
  Matrix factor = 2.0 * covariance * noise_cholesky_ + 2.0 * noise.asDiagonal() * noise_cholesky_;
  factor.diagonal() -= adjoints.level * noise_cholesky_.diagonal().cwiseInverse();
  result.noise_cholesky = factor.triangularView<Eigen::Lower>();
  return result;
}

}  // namespace rankflow::smc
