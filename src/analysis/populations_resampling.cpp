#include "analysis/populations_resampling.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace rankflow::analysis {

config::GenerateNetworkOptions resampling_options(const model::Network<double>& network, const Populations& populations,
                                                  std::int64_t neurons, std::uint64_t seed) {
  if (network.has_own_tau())
    throw InputDataError(
        "the network has time constants of its own for each neuron (dataset 'tau'), which its populations do not hold: "
        "no network can be drawn from them");
  config::GenerateNetworkOptions options;
  options.run.seed = static_cast<std::int64_t>(seed);
  options.generate.inputs = network.inputs;
  auto& drawn = options.network;
  drawn.source = config::NetworkSource::populations;
  drawn.neurons = neurons;
  drawn.rank = network.rank;
  drawn.activation = network.activation;
  drawn.tau = network.shared_tau;
  drawn.leak = network.leak;
  drawn.decay = network.decay;
  for (int k = 0; k < populations.count(); ++k) {
    const auto place = static_cast<std::size_t>(k);
    const auto& mean = populations.mixture.means[place];
    const auto& covariance = populations.mixture.covariances[place];
    auto& population = drawn.populations.emplace_back();
    population.name = fmt::format("population {}", k + 1);
    population.weight = populations.mixture.weights[place];
    population.mean.assign(mean.begin(), mean.end());
    for (Eigen::Index row = 0; row < covariance.rows(); ++row)
      population.covariance.emplace_back(covariance.row(row).begin(), covariance.row(row).end());
  }
  return options;
}

}  // namespace rankflow::analysis
