#pragma once
#include <cstdint>

#include "config/network_options.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::model {

/// Neurons of a generated network (preset, populations, heavy_tailed) when network.neurons is 0.
inline constexpr std::int64_t default_neurons = 1000;

/// Ranks above this are taken for a mistake: the reduced dynamics would not be low-dimensional.
inline constexpr int largest_rank = 64;

/// Makes this rank's share of the network that `options` describe. Weights are drawn in double precision and
/// rounded to T. Neuron i's weights depend on `seed` and i only, for any number of neurons and ranks.
/// `input_channels`: number of channels that the configuration's inputs drive; 0 if there are none.
/// Collective. Memory beyond the network: a few tiles per rank.
/// Throws ConfigurationError naming the option (network.rank, network.populations.0.covariance, …) when the
/// options contradict each other, the source or the inputs; InputDataError naming file and dataset when what
/// a file holds is unusable.
template <class T>
Network<T> build_network(const config::NetworkOptions& options, int input_channels, std::uint64_t seed,
                         const parallel::Communicator& comm);

}  // namespace rankflow::model
