#pragma once
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "connectivity/visited_states.hpp"
#include "fit/fit_flow.hpp"
#include "fit/flow_latents.hpp"
#include "fit/flow_system.hpp"
#include "flow/flow.hpp"

namespace rankflow::fit {

/// What the learning of a connectivity distribution works on, read and checked; the same on every rank.
struct FlowPreparation {
  /// Collective. Throws what building the network, assembling the latents and reading run.start throw.
  FlowPreparation(const FlowRequest& request, const parallel::Communicator& comm);

  const config::FitFlowOptions& options() const noexcept { return request.options; }
  std::uint64_t seed() const noexcept { return static_cast<std::uint64_t>(request.options.run.seed); }
  const connectivity::VisitedStates& states(FlowSplit part) const noexcept {
    return parts[static_cast<std::size_t>(part)];
  }
  /// Identifies what a checkpoint belongs to.
  std::string identity() const;
  /// Pairs of rows of all parts that were left out: masked, or not a number.
  std::int64_t dropped() const noexcept;

  const FlowRequest& request;
  FlowSystem system;
  std::int64_t neurons = 0;                            ///< N of the given network
  std::vector<double> training_rows, validation_rows;  ///< (m, b, d) of its neurons [.., variables]
  std::array<connectivity::VisitedStates, 3> parts;    ///< by FlowSplit
  flow::Flow loadings_flow, conditional_flow;          ///< as they start, standardised but for n
};

/// The configuration without what may change between sessions.
std::string lasting_toml(config::FitFlowOptions options);

/// Files that are read.
std::vector<std::filesystem::path> input_files(const config::FitFlowOptions& options);

}  // namespace rankflow::fit
