#pragma once
#include <filesystem>

#include "analysis/identifiability_conditions.hpp"
#include "config/identifiability_options.hpp"
#include "connectivity/visited_states.hpp"
#include "core/console.hpp"
#include "fit/filtering.hpp"
#include "fit/flow_file.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// What a network's latents visited, and where that is known from.
struct KnownLatents {
  connectivity::VisitedStates states;
  analysis::DataOrigin origin;
};

/// Latents of a run file. The time step and the method are those of the run's configuration: rows that are one step of
/// a fixed-step method apart tell the drive exactly, others up to the distance of rows. Collective. Throws
/// InputDataError for a file without latents, of another rank, or without the inputs that the network has.
KnownLatents latents_of_run(const std::filesystem::path& path, const model::Network<double>& network,
                            const parallel::Communicator& comm);

/// Latents [trial, time, rank] or [time, rank] of an array, one step apart. Throws ConfigurationError when neither the
/// network's decay nor identifiability.step tells alpha, InputDataError for other shapes and values not finite.
KnownLatents latents_of_array(const config::ArraySource& source, const model::Network<double>& network,
                              const config::IdentifiabilityOptions& options);

/// One trajectory per trial, drawn from what a fit says about its latents given all data (backward simulation): unlike
/// their mean it moves as the model does, noise included. The filter's file is made at request.output and removed.
/// Collective. Throws what run_filter() throws, InputDataError for a fit that failed.
KnownLatents latents_of_fit(const FilterRequest& request, const model::Network<double>& network,
                            const parallel::Communicator& comm, Console& console);

/// What the latents visited that a flow was made for.
KnownLatents latents_of_flow(const LoadedConnectivity& flow, const std::filesystem::path& source);

}  // namespace rankflow::fit
