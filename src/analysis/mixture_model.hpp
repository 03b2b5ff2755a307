#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "config/network_options.hpp"

namespace rankflow::analysis {

/// A mixture of Gaussians over D variables.
struct MixtureModel {
  std::vector<double> weights;               ///< [K], sum 1
  std::vector<Eigen::VectorXd> means;        ///< [K] of [D]
  std::vector<Eigen::MatrixXd> covariances;  ///< [K] of [D, D]

  int components() const noexcept { return static_cast<int>(weights.size()); }
  int variables() const noexcept { return means.empty() ? 0 : static_cast<int>(means.front().size()); }
  /// Of K components of D variables: K − 1 weights, K D means, K D (D + 1) / 2 covariances.
  std::int64_t free_parameters() const noexcept;
};

/// E[n | m, b, d] as a function: `loadings` (m, b, d without absent ones) -> `mean` [R].
using ConditionalMean = std::function<void(std::span<const double> loadings, std::span<double> mean)>;

/// Closed form of E[x_wanted | x_given] for a mixture:
///   Σ_k w_k(x) (μ_k + C_k S_k⁻¹ (x − ν_k)),   w_k(x) ∝ weight_k N(x; ν_k, S_k).
/// Given variables without variance in any component tell nothing and are left out. `given` and `wanted` are places
/// among the mixture's variables. Throws NumericalError when the other given variables have a singular covariance.
ConditionalMean conditional_mean(const MixtureModel& mixture, const std::vector<int>& given,
                                 const std::vector<int>& wanted);

/// The mixture that populations of a configuration stand for, over (m, n, b, d): 2 rank + inputs + 1 variables.
MixtureModel mixture_of(const std::vector<config::PopulationOptions>& populations, int rank, int inputs);

}  // namespace rankflow::analysis
