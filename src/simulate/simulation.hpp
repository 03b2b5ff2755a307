#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "config/simulate_options.hpp"
#include "core/console.hpp"
#include "core/error.hpp"
#include "io/provenance.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::simulate {

/// A simulation as a driver orders it.
struct Request {
  config::SimulateOptions options;
  std::string configuration;     ///< resolved TOML text, for provenance
  std::filesystem::path source;  ///< file the configuration was read from; may be empty
  std::filesystem::path output;
  io::FileType type = io::FileType::run;  ///< run, or recording: observations with their ground truth
  bool resume = false;
  bool overwrite = false;
};

/// Size of a simulation before it is run.
struct Plan {
  std::int64_t neurons = 0;
  int rank = 0;
  int inputs = 0;
  std::int64_t rows = 0;
  int ranks = 1;
  /// Memory of the rank with the largest share, by what it is for, in bytes.
  std::vector<std::pair<std::string, std::uint64_t>> memory;
  std::uint64_t file_bytes = 0;

  std::uint64_t memory_per_rank() const;
  std::string text() const;
};

/// Validates the request and works out its size without running it or writing anything. Collective.
Plan plan_simulation(const Request& request, const parallel::Communicator& comm);

/// Runs or resumes a simulation. Returns done, or stopped after a signal or at the end of the wall-time budget, with a
/// checkpoint to resume from. Collective. Throws the errors of its parts, and ConfigurationError when the output is an
/// unfinished run and neither resume nor overwrite was asked for.
ExitCode run_simulation(const Request& request, const parallel::Communicator& comm, Console& console);

}  // namespace rankflow::simulate
