#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fit/batches.hpp"
#include "fit/fit_model.hpp"
#include "fit/training_state.hpp"
#include "io/run_file.hpp"

namespace rankflow::fit {

/// What a fit file is about.
struct FitContents {
  const config::FitVsmcOptions& options;
  const DataSet& data;
  const Split& split;
  const FitModel& model;
  std::int64_t steps_per_epoch = 0;
};

/// Everything a fit file will hold; see docs/file-formats.md.
io::RunLayout fit_layout(const FitContents& contents);
/// Writes what does not change: the data's channels, trials and inputs. Collective.
void write_fit_data(io::RunFile& file, const FitContents& contents);
/// Writes the learning curves: values only, so that a kill leaves a file that opens. Collective.
void write_fit_curves(io::RunFile& file, const LearningCurves& curves);
/// Writes the model, with the best and the last parameters, and what the training came to. Collective.
void write_fit_result(io::RunFile& file, const FitContents& contents, const TrainingState& state);

/// Mean of the initial state that the model has at its parameters [R].
std::vector<double> initial_mean(const smc::LatentModel& model, std::span<const double> parameters);

/// A fit as other programs of ours use it, the same on every rank.
struct LoadedFit {
  config::FitVsmcOptions options;
  FitModel model;
  std::vector<double> parameters;  ///< the best
  std::vector<double> last;        ///< those of the last epoch
  std::optional<Standardisation> standardisation;
  std::vector<std::int64_t> channel_numbers;  ///< [D], in the recording that was fitted
  double bin_width = 0;                       ///< s
};

/// Throws InputDataError when the fit still runs, was killed or failed at its start: it then holds no model.
void require_model(const io::File& file);

/// Reads a fit file. Collective. Throws InputDataError when it is none, lacks something, or is not finished or stopped.
LoadedFit load_fit(const parallel::Communicator& comm, const std::filesystem::path& path);

}  // namespace rankflow::fit
