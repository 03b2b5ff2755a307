#pragma once
#include <filesystem>
#include <string>

#include "config/fit_vsmc_options.hpp"
#include "fit/data_set.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// Configuration of `rankflow simulate` that runs the fitted model: its map in latent space with its noise and
/// observations, for as long as the recording, with the recording's inputs. The fit file is named "@fit" in it.
std::string simulation_text(const config::FitVsmcOptions& options, const DataSet& data);

/// The text that a fit file holds, with its own path in place of "@fit". Collective. Throws InputDataError for a file
/// that is no fit.
std::string read_simulation_text(const parallel::Communicator& comm, const std::filesystem::path& path);

}  // namespace rankflow::fit
