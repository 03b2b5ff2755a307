#pragma once
#include <cstdint>
#include <span>

#include "connectivity/visited_states.hpp"
#include "model/network.hpp"
#include "model/neuron_array.hpp"
#include "parallel/communicator.hpp"
#include "parallel/partition.hpp"

namespace rankflow::connectivity {

/// How neurons respond: phi(m z + b v, d). This rank's share of N neurons, in tiles. Move only.
struct Loadings {
  parallel::Partition partition;
  int rank = 0;    ///< R
  int inputs = 0;  ///< I
  model::Activation activation = model::Activation::tanh;
  model::NeuronArray<double> m;     ///< [N, R]
  model::NeuronArray<double> b;     ///< [N, I]
  model::NeuronArray<double> bias;  ///< d [N], or no column when every bias is 0

  std::int64_t neurons() const noexcept { return partition.global_count(); }
};

/// Room for this rank's neurons, all 0.
Loadings make_loadings(const parallel::Partition& partition, model::Activation activation, int rank, int inputs,
                       bool has_bias);
/// From rows of variables m (R), b (I), d (1, when has_bias), one row per neuron of this rank: [count, R + I (+ 1)], as
/// flows sample them. Throws InternalError for another length.
Loadings loadings_from_rows(const parallel::Partition& partition, model::Activation activation, int rank, int inputs,
                            bool has_bias, std::span<const double> rows);
/// m, b and d of a network.
Loadings loadings_of(const model::Network<double>& network);
/// A copy of the given neurons, ascending global indices, on every rank alike (a partition of one rank). Collective.
Loadings gathered(const Loadings& loadings, std::span<const std::int64_t> neurons, const parallel::Communicator& comm);

/// Throws InputDataError when rank or inputs differ from those of the states, when there is no neuron, or when a
/// loading is not finite (naming the neuron). Collective.
void check_loadings(const Loadings& loadings, const VisitedStates& states, const parallel::Communicator& comm);

}  // namespace rankflow::connectivity
