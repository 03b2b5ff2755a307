#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "config/filter_options.hpp"
#include "core/console.hpp"
#include "core/error.hpp"
#include "fit/fit_file.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// Options that filter with a fit as it was made.
config::FilterOptions filter_defaults(const LoadedFit& fit);

/// A fit applied to data, as a driver orders it.
struct FilterRequest {
  const LoadedFit& fit;
  std::filesystem::path source;  ///< of the fit
  config::FilterOptions options;
  std::string configuration;  ///< resolved TOML text, for provenance
  std::filesystem::path output;
};

/// Size of the work, in words. Collective. Throws what run_filter() throws before it filters.
std::string plan_filter(const FilterRequest& request, const parallel::Communicator& comm);

/// Filters the data batch by batch and writes /filter and /smoothed (docs/file-formats.md). Collective. Throws
/// InputDataError for data that do not have the fit's channels, inputs and time step, and what the filter throws.
ExitCode run_filter(const FilterRequest& request, const parallel::Communicator& comm, Console& console);

}  // namespace rankflow::fit
