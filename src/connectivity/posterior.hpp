#pragma once
#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "connectivity/conditional_mean.hpp"
#include "connectivity/feature_basis.hpp"
#include "connectivity/loadings.hpp"
#include "connectivity/spectrum.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::connectivity {

/// Mean and width of linear functionals.
struct Functional {
  Eigen::MatrixXd mean;             ///< [count, R]
  Eigen::VectorXd deviation;        ///< posterior standard deviation, the same for each component [count]
  Eigen::VectorXd prior_deviation;  ///< without data [count]
};

/// n taken apart: n = required + free.
struct Projection {
  model::NeuronArray<double> required;  ///< [N, R]: what the visited states respond to
  model::NeuronArray<double> free;      ///< [N, R]: changes of it leave the visited dynamics alone
  Eigen::VectorXd required_share;       ///< |required|^2 / |n|^2 per component [R]
};

/// The maximum-entropy (Gaussian) distribution of n given what was visited (Kim et al. 2026, section 3), in the basis
/// in which it is diagonal. Assembled once, O(N r^2); any lambda afterwards costs O(r) per number and O(N r) per
/// connectivity. Numbers of the spectrum alone (evidence, effective parameters): spectrum(). Bitwise equal at any rank
/// count.
class Posterior {
 public:
  /// Both must outlive the posterior. Collective.
  Posterior(const FeatureBasis& basis, const Loadings& loadings, const parallel::Communicator& comm);

  const Spectrum& spectrum() const noexcept { return spectrum_; }
  /// psi_k(t) [T, r].
  Eigen::MatrixXd eigenfunctions() const { return basis_.values() * directions_; }
  /// e_ik of the neurons of one local tile [tile_size, r]; 0 past the last neuron.
  Eigen::MatrixXd coordinates(std::int64_t tile) const;

  /// Posterior mean as a function of the loadings: n_i = sum_k e_ik targets_k / (gamma_k + lambda).
  ConditionalMean mean(double penalty) const;
  /// Draw number `draw` from the posterior: n [N, R], exact (Matheron's rule: a draw from the prior, corrected by the
  /// mean of what it leaves unexplained). The numbers of neuron i depend on seed, draw, i and the data. Collective.
  model::NeuronArray<double> draw(const Variances& variances, std::uint64_t seed, std::uint32_t draw,
                                  const parallel::Communicator& comm) const;
  /// sum_i w_i n_i for functionals w [N, count] of this rank's neurons. Collective.
  Functional functionals(const Variances& variances, const model::NeuronArray<double>& w,
                         const parallel::Communicator& comm) const;
  /// The drive (1/N) sum_i n_i phi(m_i z + b_i v, d_i) at any states, visited or not. Collective.
  Functional drive(const Variances& variances, const StateRows& points, const parallel::Communicator& comm) const;
  /// Share of n that the data determine: H n with H_ij = sum_k e_ik e_jk / (N (gamma_k + lambda)), the resolution
  /// matrix; lambda = 0: the orthogonal projection on all that visited states excite above rounding. Collective.
  Projection project(const model::NeuronArray<double>& n, double penalty, const parallel::Communicator& comm) const;

 private:
  Eigen::MatrixXd neuron_sums(const model::NeuronArray<double>& values, const parallel::Communicator& comm) const;
  Functional functional(const Variances& variances, const Eigen::MatrixXd& sums, const Eigen::VectorXd& squares) const;
  Eigen::MatrixXd interpolation_weights(const Eigen::MatrixXd& weights) const;
  void add_response(const Eigen::MatrixXd& weights, model::NeuronArray<double>& n) const;

  const FeatureBasis& basis_;
  const Loadings& loadings_;
  Spectrum spectrum_;
  Eigen::MatrixXd directions_;  ///< eigenvectors of (1/N) sum_i c_i c_i^T [r, r]
};

/// (1/N) sum_i c_i c_i^T of the neurons' coefficients in the basis [r, r]. Collective.
Eigen::MatrixXd feature_gram(const FeatureBasis& basis, const Loadings& loadings, const parallel::Communicator& comm);

}  // namespace rankflow::connectivity
