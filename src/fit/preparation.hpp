#pragma once
#include <string>
#include <vector>

#include "fit/batches.hpp"
#include "fit/fit_file.hpp"
#include "fit/fit_vsmc.hpp"
#include "fit/training.hpp"

namespace rankflow::fit {

/// What a fit works on, read and checked.
struct Preparation {
  /// Collective. Throws what reading the data and making the model throw.
  Preparation(const FitRequest& request, const parallel::Communicator& comm);

  const FitRequest& request;
  DataSet data;
  Split split;
  FitModel model;
  std::vector<double> start;  ///< parameters

  FitContents contents(std::int64_t steps_per_epoch) const {
    return {request.options, data, split, model, steps_per_epoch};
  }
  TrainingParts parts(const parallel::Communicator& comm, Console& console) const {
    return {request.options, data, split, model, comm, console};
  }
  /// Identifies what a checkpoint belongs to: the configuration but for what may change between sessions, the data and
  /// the start.
  std::string identity() const;
};

/// The configuration without what may change between sessions of one fit.
std::string lasting_toml(config::FitVsmcOptions options);

/// Files that a fit reads.
std::vector<std::filesystem::path> input_files(const config::FitVsmcOptions& options);

}  // namespace rankflow::fit
