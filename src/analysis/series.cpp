#include "analysis/series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace rankflow::analysis {

Series masked(Series series, std::span<const std::uint8_t> mask) {
  const auto rows = static_cast<std::size_t>(series.trials * series.times);
  const auto width = static_cast<std::size_t>(series.channels);
  if (series.values.size() != rows * width || (!mask.empty() && mask.size() != rows))
    throw InternalError("series of {} trials x {} times x {} channels: {} values, {} mask entries", series.trials,
                        series.times, series.channels, series.values.size(), mask.size());
  for (std::size_t row = 0; row < mask.size(); ++row)
    if (mask[row] == 0)
      std::fill_n(series.values.data() + row * width, width, std::numeric_limits<double>::quiet_NaN());
  return series;
}

Series one_trial(const Series& series, std::int64_t trial) {
  const auto begin = series.values.begin() + static_cast<std::ptrdiff_t>(series.row(trial, 0));
  return {
      1, series.times, series.channels, {begin, begin + static_cast<std::ptrdiff_t>(series.times * series.channels)}};
}

Series between(const Series& series, std::int64_t begin, std::int64_t end) {
  if (begin < 0 || begin > end || end > series.times)
    throw InternalError("times [{}, {}) of a series of {} times", begin, end, series.times);
  Series part{series.trials, end - begin, series.channels, {}};
  part.values.reserve(static_cast<std::size_t>(part.trials * part.times * part.channels));
  for (std::int64_t trial = 0; trial < series.trials; ++trial) {
    const auto first = series.values.begin() + static_cast<std::ptrdiff_t>(series.row(trial, begin));
    part.values.insert(part.values.end(), first, first + static_cast<std::ptrdiff_t>(part.times * part.channels));
  }
  return part;
}

std::vector<double> channel_of(const Series& series, std::int64_t trial, std::int64_t channel) {
  std::vector<double> values(static_cast<std::size_t>(series.times));
  for (std::int64_t time = 0; time < series.times; ++time)
    values[static_cast<std::size_t>(time)] = series.at(trial, time, channel);
  return values;
}

std::vector<double> complete_rows(const Series& series) {
  std::vector<double> rows;
  rows.reserve(series.values.size());
  const auto width = static_cast<std::ptrdiff_t>(series.channels);
  for (auto row = series.values.begin(); width > 0 && row != series.values.end(); row += width)
    if (std::none_of(row, row + width, [](double value) { return std::isnan(value); }))
      rows.insert(rows.end(), row, row + width);
  return rows;
}

}  // namespace rankflow::analysis
