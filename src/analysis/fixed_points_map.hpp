#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "analysis/regions_system.hpp"
#include "config/fixed_points_options.hpp"
#include "model/network.hpp"

namespace rankflow::analysis {

/// What a LatentMap is made of.
struct LatentMapArrays {
  std::int64_t neurons = 0;
  std::vector<double> left;    ///< m [N, R]
  std::vector<double> right;   ///< weights of the rates, every factor included [N, R]
  std::vector<double> shift;   ///< constant part of each neuron's potential, from inputs [N]
  std::vector<double> bias;    ///< d [N]
  std::vector<double> linear;  ///< [R]
  std::vector<double> offset;  ///< [R]
};

/// The latent dynamics under constant input, with all neurons on every rank:
///   discrete: z(t+1) = f(z),  continuous: tau dz/dt = f(z),
///   f(z) = linear z + offset + sum_i right_i phi(left_i . z + shift_i, bias_i).
class LatentMap {
 public:
  using Vector = Eigen::VectorXd;
  using Matrix = Eigen::MatrixXd;

  /// `tau`: s, 0 for a discrete map.
  LatentMap(model::Activation activation, double tau, const LatentMapArrays& arrays);
  /// The dynamics of a network file, all of whose neurons are on this rank. Throws ConfigurationError for options that
  /// do not fit the network, InputDataError for per-neuron time constants.
  LatentMap(const model::Network<double>& network, const config::FixedPointsOptions& options);

  int rank() const noexcept { return static_cast<int>(linear_.size()); }
  std::int64_t neurons() const noexcept { return partition_.global_count(); }
  bool discrete() const noexcept { return tau_ == 0; }
  double tau() const noexcept { return tau_; }
  model::Activation activation() const noexcept { return activation_; }
  bool piecewise_linear() const noexcept;

  /// f(z).
  Vector evaluate(const Vector& z) const;
  /// The same into `value`, without allocation; lengths R.
  void evaluate(std::span<const double> z, std::span<double> value) const;
  /// df/dz; where a neuron has a kink, its slope is that below it.
  Matrix jacobian(const Vector& z) const;
  /// What is zero at a fixed point: f(z) - z, or f(z).
  Vector residual(const Vector& z) const;
  Matrix residual_jacobian(const Vector& z) const;
  /// The residual as a function with kinks. Throws ConfigurationError for smooth activations and high ranks.
  KinkedSystem kinked_system() const;
  /// Bound per latent of what rates of at most 1 can do: |z_r| of a fixed point with bounded rates.
  Vector drive_scale() const;
  /// Bound of the residual's slope in the maximum norm, for slopes of phi of at most 1.
  double steepness() const;

 private:
  void fill(const LatentMapArrays& arrays);
  void drive_tile(std::int64_t tile, std::span<const double> z, double* potentials) const;

  model::Activation activation_;
  double tau_;
  parallel::Partition partition_;
  model::NeuronArray<double> left_, right_, shift_, bias_;
  Vector linear_, offset_;
};

}  // namespace rankflow::analysis
