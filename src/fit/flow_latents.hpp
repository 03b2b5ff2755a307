#pragma once
#include <cstdint>
#include <vector>

#include "config/fit_flow_options.hpp"
#include "connectivity/visited_states.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// Trajectories that a connectivity is to keep, the same on every rank.
struct FlowLatents {
  std::int64_t trials = 0;         ///< B
  std::int64_t steps = 0;          ///< T
  int rank = 0;                    ///< R
  int inputs = 0;                  ///< I
  std::vector<double> z;           ///< [B, T, R], NaN where there is none
  std::vector<double> u;           ///< [B, T, I]
  std::vector<std::uint8_t> mask;  ///< [B, T], or empty: all rows count
  config::InputPath path = config::InputPath::filtered;
  double interval = 0;  ///< between rows, s; 0: not known
  double decay = 0;     ///< 1 - alpha

  connectivity::Trajectories trajectories(const std::vector<std::uint8_t>& rows) const {
    return {trials, steps, rank, inputs, z, u, rows};
  }
};

/// Input channels that the latents of the options come with: what a network of populations draws input weights for.
int flow_input_channels(const config::FitFlowOptions& options, const parallel::Communicator& comm);

/// Reads or makes the latents that the options name. Collective. Throws ConfigurationError when the decay cannot be
/// told or lies outside [0, 1), InputDataError for latents of another rank than the network's m, other inputs than it
/// has weights for, and what reading, filtering and simulating throw.
FlowLatents make_flow_latents(const config::FitFlowOptions& options, const model::Network<double>& network,
                              const parallel::Communicator& comm);

/// The network's own latents from a grid of initial states.
FlowLatents simulate_flow_latents(const config::FitFlowOptions& options, const model::Network<double>& network,
                                  const parallel::Communicator& comm);

/// Posterior means of a fit's latents given the data that it was fitted to, by particle smoothing. Throws
/// InputDataError for a fit that is not finished.
FlowLatents posterior_flow_latents(const config::FitFlowOptions& options, const parallel::Communicator& comm);

/// Rows of one part of the trials.
enum class FlowSplit : std::uint8_t { training = 0, validation = 1, test = 2 };

/// Which part every row [B, T] belongs to: whole trials drawn by the seed, or stretches of a single one. Throws
/// ConfigurationError when nothing is left to learn from.
std::vector<FlowSplit> split_flow_latents(const FlowLatents& latents, const config::LatentOptions& options,
                                          std::uint64_t seed);

/// What was visited in one part; empty (no rows) for a part without trials. Collective only in what it throws.
connectivity::VisitedStates states_of_part(const FlowLatents& latents, const std::vector<FlowSplit>& split,
                                           FlowSplit part);

}  // namespace rankflow::fit
