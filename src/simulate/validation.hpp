#pragma once
#include "config/simulate_options.hpp"
#include "model/network.hpp"

namespace rankflow::simulate {

/// Throws ConfigurationError with the reason for combinations of options that do not work together, as in latent
/// space with per-neuron time constants.
void check_combination(const config::SimulateOptions& options);

/// The same for what only the network itself tells, as when its file brings time constants.
template <class T>
void check_network(const config::SimulateOptions& options, const model::Network<T>& network);

}  // namespace rankflow::simulate
