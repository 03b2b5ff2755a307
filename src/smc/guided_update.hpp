#pragma once
#include "smc/optimal_update.hpp"

namespace rankflow::smc {

/// The transition z ~ N(mu, L L^T) times a Gaussian of the encoder, per latent: mean e(t), variance v
/// (Pals et al. 2024, suppl. B; Hess et al. 2023, generalised teacher forcing):
///   proposal: z = (1 - g) mu + g e(t) + spread eps,  g = s / (s + v),  spread^2 = s v / (s + v),  s = diag(L L^T)
///   log transition - log proposal = level - (z - mu)^T form (z - mu) / 2 + |eps|^2 / 2,  form = (L L^T)^-1
class GuidedUpdate {
 public:
  /// noise_cholesky: L [R, R]; log_variance: log v [R].
  GuidedUpdate(const Matrix& noise_cholesky, const Vector& log_variance);

  const Matrix& gain() const noexcept { return gain_; }
  const Matrix& spread() const noexcept { return spread_; }
  const Matrix& form() const noexcept { return form_; }
  double level() const noexcept { return level_; }
  /// g e(t), a row for each time.
  Matrix shift(const Matrix& means) const;

  struct CoefficientAdjoints {
    Matrix gain, spread, form, shift;
    double level = 0;
  };
  struct InputAdjoints {
    Matrix noise_cholesky, means;
    Vector log_variance;
  };
  InputAdjoints adjoint(const Matrix& means, const CoefficientAdjoints& adjoints) const;

 private:
  Matrix noise_cholesky_, gain_, spread_, form_;
  Vector guidance_;                  ///< g
  Vector noise_, encoder_variance_;  ///< s, v
  double level_ = 0;
};

}  // namespace rankflow::smc
