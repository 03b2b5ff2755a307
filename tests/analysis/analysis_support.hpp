#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "analysis/series.hpp"
#include "parallel/draws.hpp"

namespace rankflow::analysis {

inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// Standard normal numbers of their own for each `index`.
inline std::vector<double> normals(std::size_t count, std::uint32_t index) {
  std::vector<double> values(count);
  parallel::normal({1, parallel::Purpose::test}, {.index = index}, 0, std::span(values));
  return values;
}

inline Series normal_series(std::int64_t trials, std::int64_t times, std::int64_t channels, std::uint32_t index) {
  return {trials, times, channels, normals(static_cast<std::size_t>(trials * times * channels), index)};
}

/// Poisson counts of the given mean in every bin.
inline Series poisson_series(std::int64_t trials, std::int64_t times, std::int64_t channels, double mean,
                             std::uint32_t index) {
  const auto count = static_cast<std::size_t>(trials * times * channels);
  const std::vector<double> means(count, mean);
  std::vector<std::int64_t> counts(count);
  parallel::poisson<double>({1, parallel::Purpose::test}, {.index = index}, 0, means, counts);
  return {trials, times, channels, {counts.begin(), counts.end()}};
}

/// One trial, one channel.
inline Series single(std::vector<double> values) {
  return {1, static_cast<std::int64_t>(values.size()), 1, std::move(values)};
}

}  // namespace rankflow::analysis
