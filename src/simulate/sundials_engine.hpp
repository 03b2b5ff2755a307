#pragma once
#include <memory>
#include <vector>

#include "config/simulate_options.hpp"
#include "model/bulk.hpp"
#include "model/inputs.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"
#include "simulate/engine.hpp"
#include "simulate/initial_state.hpp"

namespace rankflow::simulate {

/// The engine of the methods runge_kutta (ARKODE), adams and bdf (CVODE), in neuron or latent space.
///
/// Trials are integrated one after the other, in segments of integration.restart_every. Every segment starts the
/// integrator afresh, also in a run that is never stopped: multistep methods forget their history there, hence a
/// checkpoint, which holds the states at a segment's start, continues to the same bits. A stop discards the segment
/// under way. Steps also end, and the integrator restarts, where an input jumps.
///
/// `bulk` may be null. `row_times` ascend and lie in [0, duration]. `network` and `comm` must outlive the engine.
/// Throws ConfigurationError for a latent space that is not exact. Collective.
std::unique_ptr<Engine> make_sundials_engine(const config::SimulateOptions& options,
                                             const model::Network<double>& network, std::unique_ptr<model::Bulk> bulk,
                                             model::Inputs inputs, const InitialState& initial,
                                             std::vector<double> row_times, const parallel::Communicator& comm);

}  // namespace rankflow::simulate
