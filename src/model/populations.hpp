#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/network_options.hpp"
#include "model/loadings.hpp"

namespace rankflow::model {

/// Mixture of Gaussians over a neuron's variables (m, n, b, d): population p with probability
/// weight_p / sum of weights, then mean_p + S_p w with standard normal w. Beiran et al. 2021 (Neural
/// Computation 33), eq. 4; Dubreuil, Valente et al. 2022 (Nature Neuroscience 25).
class GaussianMixture : public LoadingSource {
 public:
  /// `inputs`: number of input channels of the network. A population's mean and covariance may be shorter
  /// than 2R + I + 1; what is left out is 0.
  /// Throws ConfigurationError naming network.populations.<p>.<key>: too long, too many populations (more
  /// than 256), an unusable covariance, an input channel below `inputs` that reaches no neuron.
  GaussianMixture(const std::vector<config::PopulationOptions>& populations, int rank, int inputs, std::uint64_t seed);

  int rank() const override { return rank_; }
  int inputs() const override { return inputs_; }
  bool has_bias() const override;
  std::vector<std::string> population_names() const override { return names_; }
  void fill(std::int64_t first, LoadingTile& tile) const override;

 private:
  /// One entry per population.
  using PerPopulation = std::vector<double>;
  /// A non-zero entry of the square roots.
  struct Factor {
    int to;
    int from;
    PerPopulation value;
  };

  int variables() const noexcept { return 2 * rank_ + inputs_ + 1; }
  void add(const config::PopulationOptions& population, std::size_t index);
  void require_size(std::size_t found, const std::string& key) const;
  void require_inputs_reach() const;
  bool varies(int variable) const;
  void choose(std::int64_t first, LoadingTile& tile) const;

  int rank_;
  int inputs_;
  std::uint64_t seed_;
  std::vector<std::string> names_;
  PerPopulation cumulative_;          ///< probability of this population or an earlier one
  std::vector<PerPopulation> means_;  ///< [variable]
  std::vector<Factor> factors_;
};

}  // namespace rankflow::model
