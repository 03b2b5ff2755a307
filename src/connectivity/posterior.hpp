#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "connectivity/conditional_mean.hpp"
#include "connectivity/feature_basis.hpp"
#include "connectivity/loadings.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::connectivity {

/// sigma^2 of y and s^2 of n, per component.
struct Variances {
  double noise = 0.0;
  double prior = 0.0;
};

/// Mean and width of linear functionals.
struct Functional {
  std::vector<double> mean;             ///< [count, R]
  std::vector<double> deviation;        ///< posterior standard deviation, the same for each component [count]
  std::vector<double> prior_deviation;  ///< without data [count]
};

/// n taken apart: n = required + free.
struct Projection {
  model::NeuronArray<double> required;  ///< [N, R]: what the visited states respond to
  model::NeuronArray<double> free;      ///< [N, R]: changes of it leave the visited dynamics alone
  std::vector<double> required_share;   ///< |required|^2 / |n|^2 per component [R]
};

/// The maximum-entropy (Gaussian) distribution of n given what was visited, in the basis in which it is diagonal:
/// neurons' features are phi_i(t) = sum_k e_ik psi_k(t) with (1/T) sum_t psi_k psi_l = delta_kl and
/// (1/N) sum_i e_ik e_il = gamma_k delta_kl. Assembled once, O(N r^2); any lambda afterwards costs O(r) per number
/// asked for and O(N r) per connectivity. Priors n_i ~ N(0, s^2), y = (1/N) sum n_i phi_i + N(0, sigma^2), hence lambda
/// = sigma^2 N / (s^2 T). Bitwise equal at any rank count.
class Posterior {
 public:
  /// All three must outlive the posterior. Collective.
  Posterior(const VisitedStates& states, const FeatureBasis& basis, const Loadings& loadings,
            const parallel::Communicator& comm);

  std::int64_t rows() const noexcept { return rows_; }        ///< T
  std::int64_t neurons() const noexcept { return neurons_; }  ///< N
  /// gamma_k, descending [r]: how strongly the population responds along psi_k.
  const Eigen::VectorXd& eigenvalues() const noexcept { return eigenvalues_; }
  /// psi_k(t) [T, r].
  Eigen::MatrixXd eigenfunctions() const;
  /// (1/T) sum_t psi_k(t) y(t) [r, R].
  const Eigen::MatrixXd& targets() const noexcept { return targets_; }
  /// e_ik = features' coordinates of one local tile [tile_size, r]; 0 past the last neuron.
  Eigen::MatrixXd coordinates(std::int64_t tile) const;

  /// lambda of the variances, and the prior variance that goes with a penalty and a noise variance.
  double penalty(const Variances& variances) const;
  Variances variances(double penalty, double noise) const;
  /// sum_k gamma_k / (gamma_k + lambda).
  double effective_parameters(double penalty) const;
  /// Mean square of y - (1/N) sum n_i phi_i per component at the posterior mean.
  double mean_square_residual(double penalty) const;
  /// Noise variance with as many degrees of freedom as remain: T mean_square_residual / (T - effective parameters).
  double noise_variance(double penalty) const;
  /// log p(y | sigma^2, s^2) over all rows and components, nats.
  double log_evidence(const Variances& variances) const;
  /// Variances that maximise it. Throws NumericalError when it grows without bound (y is reproduced exactly).
  Variances maximise_evidence() const;

  /// Posterior mean as a function of the loadings.
  ConditionalMean mean(double penalty) const;
  /// Draw `draw` from the posterior: n [N, R], exact (Matheron's rule). The numbers of neuron i depend on
  /// (seed, draw, i) and the data. Collective.
  model::NeuronArray<double> draw(const Variances& variances, std::uint64_t seed, std::uint32_t draw,
                                  const parallel::Communicator& comm) const;
  /// sum_i w_i n_i for functionals w [N, count] of this rank's neurons. Collective.
  Functional functionals(const Variances& variances, const model::NeuronArray<double>& w,
                         const parallel::Communicator& comm) const;
  /// The drive (1/N) sum_i n_i phi(m_i z + b_i v, d_i) at any states, visited or not. Collective.
  Functional drive(const Variances& variances, const StateRows& points, const parallel::Communicator& comm) const;
  /// Share of n that the data determine: H n with H = E (Gamma + lambda)^-1 E^T / N (the resolution matrix; lambda ->
  /// 0: the orthogonal projection on all that the visited states excite). Collective.
  Projection project(const model::NeuronArray<double>& n, double penalty, const parallel::Communicator& comm) const;

 private:
  Eigen::MatrixXd neuron_sums(const model::NeuronArray<double>& values, const parallel::Communicator& comm) const;
  template <class Weight>
  Eigen::MatrixXd to_rows(const Weight& weight) const;

  const VisitedStates& states_;
  const FeatureBasis& basis_;
  const Loadings& loadings_;
  std::int64_t rows_ = 0;
  std::int64_t neurons_ = 0;
  Eigen::VectorXd eigenvalues_;
  Eigen::MatrixXd directions_;  ///< eigenvectors of (1/N) sum_i c_i c_i^T [r, r]
  Eigen::MatrixXd targets_;
  double target_square_ = 0.0;  ///< (1/T) sum_t |y_t|^2
};

}  // namespace rankflow::connectivity
