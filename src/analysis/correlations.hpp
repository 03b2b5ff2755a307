#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/series.hpp"

namespace rankflow::analysis {

/// Pearson correlations [channel, channel] over all trials and times; each pair over the times at which both were
/// observed, NaN where one of them does not vary there.
std::vector<double> correlation_matrix(const Series& series);

/// Entries above the diagonal of a square matrix, row by row.
std::vector<double> above_diagonal(std::span<const double> matrix);

/// How far `model` reproduces `reference`, entry by entry; entries that are NaN in either drop out.
struct Agreement {
  std::int64_t count = 0;  ///< entries compared
  double correlation = 0;  ///< Pearson; NaN when either does not vary
  double rmse = 0;         ///< root of the mean squared difference
  double relative = 0;     ///< rmse / root of the mean squared reference
};
Agreement agreement(std::span<const double> reference, std::span<const double> model);

}  // namespace rankflow::analysis
