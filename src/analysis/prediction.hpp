#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/series.hpp"

namespace rankflow::analysis {

/// Share of the variance that predictions explain: 1 − Σ (x − x̂)² / Σ (x − mean of the channel)², both sums over the
/// samples that are observed and predicted (not NaN). NaN when nothing varies.
struct RSquared {
  double all = 0;                  ///< sums over all channels
  std::vector<double> channels{};  ///< [channel]
  std::int64_t samples = 0;
};
/// Throws InternalError when the shapes differ.
RSquared r_squared(const Series& observed, const Series& predicted);

/// R² of forecasts 1 … K steps ahead. `forecasts` [step, trial, time, channel]: entry (k − 1, b, t) is the forecast of
/// x(t) from data up to t − k, NaN where there is none. Throws InternalError when the length is no multiple of the
/// series'.
std::vector<RSquared> forecast_r_squared(const Series& observed, std::span<const double> forecasts);

}  // namespace rankflow::analysis
