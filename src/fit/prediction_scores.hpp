#pragma once
#include <cstdint>
#include <vector>

#include "analysis/evaluation.hpp"
#include "fit/data_set.hpp"
#include "fit/fit_file.hpp"

namespace rankflow::fit {

/// What a fit is asked to foretell.
struct PredictionTask {
  std::vector<std::int64_t> horizons = {};  ///< steps ahead, ascending, at least 1
  std::vector<std::int64_t> held_out = {};  ///< channels, by the recording's numbers, hidden from the filter; or none
  std::uint64_t seed = 1;
};

/// How well the fit's filter foretells data (docs/evaluation.md), one value for each statistic. Real values: share of
/// the variance explained so many steps ahead, and of held-out channels from the others at the same time. Counts: bits
/// per spike over each channel's mean rate. NaN where there is nothing to score. The same bits on any number of ranks.
/// Collective. Throws ConfigurationError for a held-out channel that the fit does not have, and what the filter throws.
std::vector<analysis::Statistic> score_predictions(const LoadedFit& fit, const DataSet& data,
                                                   const PredictionTask& task, const parallel::Communicator& comm);

}  // namespace rankflow::fit
