#pragma once
#include <cstdint>
#include <vector>

#include "analysis/sinkhorn.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// Neurons of a network on every rank, in ascending order.
struct NeuronSample {
  PointCloud loadings;    ///< (m, b, d), or (m, b) without biases
  std::vector<double> n;  ///< [count, R]
  int rank = 0;           ///< R
  int inputs = 0;         ///< I

  std::int64_t count() const noexcept { return loadings.count; }
  /// The rows (m, n, b, d), the order of a mixture's variables.
  PointCloud rows() const;
  /// The neurons whose place leaves `remainder` when divided by 2.
  NeuronSample half(std::int64_t remainder) const;
};

/// All neurons, or `most` of them chosen at random (by neuron and seed): the same ones on any number of ranks.
/// `with_bias`: d is among the loadings, 0 for networks without biases. Collective.
NeuronSample sample_neurons(const model::Network<double>& network, std::int64_t most, bool with_bias,
                            std::uint64_t seed, const parallel::Communicator& comm);

}  // namespace rankflow::analysis
