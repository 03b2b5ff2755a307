#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "config/fit_flow_options.hpp"
#include "connectivity/ridge.hpp"
#include "fit/flow_preparation.hpp"
#include "fit/flow_state.hpp"
#include "fit/flow_system.hpp"
#include "flow/flow.hpp"
#include "io/run_file.hpp"

namespace rankflow::fit {

/// Everything a flow file will hold; see docs/file-formats.md.
io::RunLayout flow_layout(const FlowPreparation& prepared);
/// Writes what does not change: the visited states. Collective.
void write_flow_states(io::RunFile& file, const FlowPreparation& prepared);
/// Writes the learning curves: values only. Collective.
void write_flow_curves(io::RunFile& file, const FlowFitState& state);
/// Writes one of the two flows: group "/loadings_flow" or "/conditional_flow". Collective.
void write_flow(io::RunFile& file, const std::string& group, const flow::Flow& flow);
/// What the ridge came to, as attributes of /ridge.
io::Attributes ridge_attributes(const connectivity::RidgeSolution& solution);

/// A flow file as other programs of ours use it, the same on every rank.
struct LoadedConnectivity {
  config::FitFlowOptions options;
  FlowSystem system;
  flow::Flow loadings_flow, conditional_flow;
  connectivity::VisitedStates states;  ///< of the training trials
  double penalty = 0;                  ///< lambda; 0: the training had not come to it
};

/// Reads a flow file. Collective. Throws InputDataError when it is none, lacks something, holds numbers that are not
/// finite, still runs or failed at its start.
LoadedConnectivity load_flow(const parallel::Communicator& comm, const std::filesystem::path& path);

/// Throws InputDataError when the conditional flow of a file was not trained, or only in part.
void require_finished(const parallel::Communicator& comm, const std::filesystem::path& path);

}  // namespace rankflow::fit
