#pragma once
#include <cstdint>

#include <Eigen/Core>

namespace rankflow::connectivity {

/// sigma^2 of y and s^2 of n, per component.
struct Variances {
  double noise = 0.0;
  double prior = 0.0;
};

/// What ridge regression is in the basis in which it is diagonal: y = (1/N) sum_i n_i phi_i + N(0, sigma^2) with priors
/// n_i ~ N(0, s^2), features phi_i(t) = sum_k e_ik psi_k(t), (1/T) sum_t psi_k psi_l = delta_kl and (1/N) sum_i e_ik
/// e_il = gamma_k delta_kl. Hence lambda = sigma^2 N / (s^2 T), and every number below costs O(r).
struct Spectrum {
  std::int64_t rows = 0;        ///< T
  std::int64_t neurons = 0;     ///< N
  Eigen::VectorXd eigenvalues;  ///< gamma_k, descending [r]
  Eigen::MatrixXd targets;      ///< (1/T) sum_t psi_k(t) y(t) [r, R]
  double unexplained = 0.0;     ///< (1/T) sum_t |y(t) - sum_k psi_k(t) targets_k|^2, components added

  double penalty(const Variances& variances) const;
  /// Variances of a penalty: the noise is the one that maximises the evidence at this penalty.
  Variances variances(double penalty) const;
  /// sum_k gamma_k / (gamma_k + lambda).
  double effective_parameters(double penalty) const;
  /// (1/T) sum_t |y - (1/N) sum_i n_i phi_i|^2 at the posterior mean, components added.
  double mean_square_residual(double penalty) const;
  /// log p(y | sigma^2, s^2) over all rows and components, nats.
  double log_evidence(const Variances& variances) const;
  /// Variances that maximise it (MacKay 1992), lambda between 1e-13 and 1e6 of the largest eigenvalue. Throws
  /// NumericalError when the maximum lies at an end, or the noise below 1e-6 of y: y is reproduced exactly, or not at
  /// all.
  Variances maximise_evidence() const;
};

/// The spectrum of a Gram matrix G = (1/N) sum_i c_i c_i^T whose coordinates belong to orthonormal functions; the
/// eigenvectors go to `directions`. `targets` are those of the functions.
Spectrum spectrum_of(const Eigen::MatrixXd& gram, const Eigen::MatrixXd& targets, double unexplained, std::int64_t rows,
                     std::int64_t neurons, Eigen::MatrixXd& directions);

}  // namespace rankflow::connectivity
