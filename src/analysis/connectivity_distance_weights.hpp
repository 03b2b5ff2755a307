#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "analysis/connectivity_distance_points.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// Correlations between the weights J = m nᵀ / N of two networks, and between the effective weights, whose n is
/// projected on the span of m and b: the rest does not act where potentials stay within that span and neurons are
/// linear (Valente, Pillow & Ostojic 2022).
struct WeightCorrelations {
  /// Over all pairs (i, j), neuron i of one network being neuron i of the other; none when their numbers differ, or
  /// when all weights of a network are equal.
  std::optional<double> weights, effective_weights;
  std::string why_not = {};  ///< when one of them does not exist
  /// Between the sorted effective weights of neurons drawn from both, whoever they are: the distance of Kim et al. 2026
  /// is 1 less this. None when all of a network's are equal.
  std::optional<double> sorted_effective_weights;
  std::int64_t sorted_neurons = 0;  ///< neurons of each network whose pairs were sorted
};

/// Exact over all pairs from Gram matrices [R + I, R + I]; no weight is formed. Only `sorted_effective_weights` takes
/// pairs of `first` and `second`, which hold equally many neurons of the two networks. Collective.
WeightCorrelations correlate_weights(const model::Network<double>& a, const model::Network<double>& b,
                                     const NeuronSample& first, const NeuronSample& second,
                                     const parallel::Communicator& comm);

}  // namespace rankflow::analysis
