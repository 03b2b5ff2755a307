#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "config/fit_flow_options.hpp"
#include "core/console.hpp"
#include "core/error.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// The learning of a connectivity distribution as a driver orders it.
struct FlowRequest {
  config::FitFlowOptions options;
  std::string configuration;     ///< resolved TOML text, for provenance
  std::filesystem::path source;  ///< file the configuration was read from
  std::filesystem::path output;
  bool resume = false;
  bool overwrite = false;
};

/// Size of it before it is run.
struct FlowPlan {
  std::string text;  ///< all of it in words
  std::uint64_t memory_per_rank = 0;
  std::uint64_t file_bytes = 0;
};

/// Validates the request and works out its size, without training or writing anything. Collective.
FlowPlan plan_fit_flow(const FlowRequest& request, const parallel::Communicator& comm);

/// Learns the maximum-entropy distribution of connectivity that keeps the given latent dynamics (Kim et al. 2026): a
/// flow of (m, b, d), then one of n given (m, b, d); or goes on with it. Returns done, or stopped with a checkpoint to
/// resume from. Collective. Throws the errors of its parts, and what run_session() throws.
ExitCode run_fit_flow(const FlowRequest& request, const parallel::Communicator& comm, Console& console);

}  // namespace rankflow::fit
