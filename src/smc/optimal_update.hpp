#pragma once
#include <cstdint>

#include <Eigen/Core>

namespace rankflow::smc {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

/// a b, where each row of the result depends on its row of a alone, to the bit: Eigen's products round a row by its
/// place in the matrix, which is not the same at every rank count.
Matrix times_by_row(const Matrix& a, const Matrix& b);

/// The transition given a Gaussian observation that is affine in the latents (Kalman update; Pals et al. 2024,
/// suppl. B; Doucet, Godsill & Andrieu 2000, eq. 12), written so that a particle needs R x R work only.
///   z = mu + L eps, L L^T = Sigma;  x = W z + c + noise, noise variances V;  G = W^T V^-1 W,  y = W^T V^-1 (x - c)
///   proposal: z = A mu + s + C eps          A = I - S G,  s = S y,  C C^T = S = (Sigma^-1 + G)^-1
///   log p(x | mu) = kappa + h . mu - mu^T H mu / 2,       H = G - G S G,  h = y - G s
/// With nothing observed (G = 0) this is the transition itself, and kappa = h = H = 0.
class OptimalUpdate {
 public:
  /// noise_cholesky: L [R, R]. information: G. log_variance: sum of log V over the observed channels.
  /// Throws NumericalError when a matrix is not positive definite.
  OptimalUpdate(const Matrix& noise_cholesky, const Matrix& information, double log_variance, std::int64_t observed);

  const Matrix& gain() const noexcept { return gain_; }                              ///< A
  const Matrix& spread() const noexcept { return spread_; }                          ///< C
  const Matrix& weight_information() const noexcept { return weight_information_; }  ///< H

  /// What depends on the values observed, a row for each observation.
  struct Terms {
    Matrix shift;   ///< s
    Matrix slope;   ///< h
    Vector level;   ///< kappa
    Matrix centre;  ///< H^+ h: where the weight is largest
    Vector peak;    ///< log weight there, so that log p(x | mu) = peak - (mu - centre)^T H (mu - centre) / 2
  };
  /// projections: y, a row for each observation; misfit: (x - c)^T V^-1 (x - c).
  Terms terms(const Matrix& projections, const Vector& misfit) const;

  struct CoefficientAdjoints {
    Matrix gain, spread, weight_information;
    Matrix shift, slope;  ///< a row for each observation
    Vector level;
  };
  struct InputAdjoints {
    Matrix noise_cholesky, information, projections;
    Vector misfit;
    double log_variance = 0;
  };
  InputAdjoints adjoint(const Matrix& projections, const Terms& terms, const CoefficientAdjoints& adjoints) const;

 private:
  Matrix noise_cholesky_, information_;
  Matrix precision_of_noise_;  ///< Sigma^-1
  Matrix posterior_;           ///< S
  Matrix gain_, spread_, weight_information_, centring_;
  double constant_ = 0;
};

}  // namespace rankflow::smc
