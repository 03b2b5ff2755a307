#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "config/fit_vsmc_options.hpp"
#include "core/console.hpp"
#include "core/error.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// A fit as a driver orders it.
struct FitRequest {
  config::FitVsmcOptions options;
  std::string configuration;     ///< resolved TOML text, for provenance
  std::filesystem::path source;  ///< file the configuration was read from
  std::filesystem::path output;
  bool resume = false;
  bool overwrite = false;
};

/// Size of a fit before it is run.
struct FitPlan {
  std::int64_t trials = 0, times = 0, channels = 0, inputs = 0;
  std::int64_t training_windows = 0, held_out_windows = 0;
  std::int64_t parameters = 0;
  std::int64_t batch_trials = 0, window = 0, particles = 0;
  std::int64_t particles_per_rank = 0;  ///< of the rank with most of them
  std::int64_t steps_per_epoch = 0, epochs = 0;
  int ranks = 1;
  std::vector<std::pair<std::string, std::uint64_t>> memory;  ///< of that rank, by what it is for, in bytes
  std::uint64_t file_bytes = 0;

  std::uint64_t memory_per_rank() const;
  std::string text() const;
};

/// Validates the request and works out its size without running it or writing anything. Collective.
FitPlan plan_fit(const FitRequest& request, const parallel::Communicator& comm);

/// Fits a model by variational SMC, or goes on with one. Returns done, or stopped after a signal or at the end of the
/// wall-time budget, with a checkpoint to resume from. Collective. Throws the errors of its parts, and
/// ConfigurationError when the output is an unfinished fit and neither resume nor overwrite was asked for, or the
/// checkpoint belongs to another model, other data or another configuration.
ExitCode run_fit(const FitRequest& request, const parallel::Communicator& comm, Console& console);

}  // namespace rankflow::fit
