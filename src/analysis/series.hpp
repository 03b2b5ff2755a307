#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rankflow::analysis {

/// Observations over trials, whole on every rank; NaN where nothing was observed.
struct Series {
  std::int64_t trials = 0;          ///< B
  std::int64_t times = 0;           ///< T, steps or bins
  std::int64_t channels = 0;        ///< D
  std::vector<double> values = {};  ///< [trial, time, channel]

  /// Position of (trial, time) in `values`, in rows of all channels.
  std::size_t row(std::int64_t trial, std::int64_t time) const noexcept {
    return static_cast<std::size_t>((trial * times + time) * channels);
  }
  double at(std::int64_t trial, std::int64_t time, std::int64_t channel) const noexcept {
    return values[row(trial, time) + static_cast<std::size_t>(channel)];
  }
};

/// The series with NaN in every row whose `mask` [trial, time] is 0; an empty mask leaves it as it is.
/// Throws InternalError when lengths do not fit the shape.
Series masked(Series series, std::span<const std::uint8_t> mask);

/// Trial `trial` alone.
Series one_trial(const Series& series, std::int64_t trial);

/// Times [begin, end) of every trial. Throws InternalError unless 0 <= begin <= end <= times.
Series between(const Series& series, std::int64_t begin, std::int64_t end);

/// One channel of one trial: [time].
std::vector<double> channel_of(const Series& series, std::int64_t trial, std::int64_t channel);

/// Rows of all trials in which every channel was observed: [row, channel].
std::vector<double> complete_rows(const Series& series);

}  // namespace rankflow::analysis
