#include "analysis/spike_statistics.hpp"

#include <cmath>
#include <limits>

#include "analysis/smoothing.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

void require_counts(const Series& counts) {
  const auto width = static_cast<std::size_t>(counts.channels);
  for (std::size_t i = 0; i < counts.values.size(); ++i) {
    const double value = counts.values[i];
    if (std::isnan(value) || (std::isfinite(value) && value >= 0 && value == std::floor(value))) continue;
    const auto row = static_cast<std::int64_t>(i / width);
    throw InputDataError("spike statistics need counts 0, 1, 2, …; found {} at trial {}, time {}, channel {}", value,
                         row / counts.times, row % counts.times, i % width);
  }
}

/// Mean and spread of the intervals met so far.
class Intervals {
 public:
  void spikes(double bin, double count) {
    for (double i = 0; i < count; ++i) {
      const double time = bin + (i + 0.5) / count;
      if (!std::isnan(last_)) found_.push_back(time - last_);
      last_ = time;
    }
  }
  /// What came before cannot be told from here on.
  void interrupt() { last_ = std::numeric_limits<double>::quiet_NaN(); }

  std::int64_t count() const { return static_cast<std::int64_t>(found_.size()); }
  /// Mean and sd of the intervals as the moments of one channel.
  Moments spread() const { return moments({1, count(), 1, found_}); }

 private:
  double last_ = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> found_;
};

Intervals intervals_of(const Series& counts, std::int64_t channel) {
  Intervals intervals;
  for (std::int64_t trial = 0; trial < counts.trials; ++trial) {
    intervals.interrupt();
    for (std::int64_t time = 0; time < counts.times; ++time) {
      const double count = counts.at(trial, time, channel);
      if (std::isnan(count)) {
        intervals.interrupt();
      } else {
        intervals.spikes(static_cast<double>(time), count);
      }
    }
  }
  return intervals;
}

}  // namespace

SpikeStatistics spike_statistics(const Series& counts) {
  require_counts(counts);
  auto [mean, sd] = moments(counts);
  SpikeStatistics result;
  for (std::int64_t channel = 0; channel < counts.channels; ++channel) {
    const auto place = static_cast<std::size_t>(channel);
    result.fano.push_back(sd[place] * sd[place] / mean[place]);
    const auto intervals = intervals_of(counts, channel);
    const auto spread = intervals.spread();
    result.intervals.push_back(intervals.count());
    result.interval_mean.push_back(spread.mean[0]);
    result.interval_cv.push_back(intervals.count() > 1 ? spread.sd[0] / spread.mean[0]
                                                       : std::numeric_limits<double>::quiet_NaN());
  }
  result.mean = std::move(mean);
  return result;
}

PopulationStatistics population_statistics(const Series& counts) {
  const auto rows = complete_rows(counts);
  const auto width = static_cast<std::size_t>(counts.channels);
  Series total{1, static_cast<std::int64_t>(rows.size() / width), 1};
  double silent = 0;
  for (std::size_t row = 0; row < rows.size(); row += width) {
    double sum = 0;
    for (std::size_t channel = 0; channel < width; ++channel) sum += rows[row + channel];
    total.values.push_back(sum);
    silent += sum == 0 ? 1 : 0;
  }
  const auto spread = moments(total);
  return {.mean = spread.mean[0],
          .sd = spread.sd[0],
          .fano = spread.sd[0] * spread.sd[0] / spread.mean[0],
          .silent = silent / static_cast<double>(total.times)};
}

}  // namespace rankflow::analysis
