#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fit/data_set.hpp"
#include "smc/particle_filter.hpp"

namespace rankflow::fit {

/// A part of one trial of a DataSet.
struct Stretch {
  std::int64_t trial = 0;
  std::int64_t begin = 0;
  std::int64_t length = 0;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

/// What a fit learns from and what it is judged by.
struct Split {
  std::vector<Stretch> training, validation;
};

/// Holds out a share of the trials, chosen by the seed; of a single trial its end. A fraction of 0 holds out nothing.
/// Throws ConfigurationError when nothing would be left to learn from, or nothing is held out though it should be.
Split split_data(const DataSet& data, double fraction, std::uint64_t seed);

/// Consecutive windows of `window` steps (the last of each stretch may be shorter).
std::vector<Stretch> consecutive_windows(std::span<const Stretch> stretches, std::int64_t window);

/// Which windows make up each minibatch: a pure function of (seed, epoch, step).
/// A pass takes every stretch as many times as it holds whole windows (at least once), in random order, each time from
/// a random start; batches cut the passes of an epoch into pieces.
class BatchPlan {
 public:
  /// Throws ConfigurationError when a pass has fewer windows than a batch.
  BatchPlan(std::vector<Stretch> stretches, std::int64_t batch_trials, std::int64_t window, std::uint64_t seed);

  std::int64_t batch_trials() const noexcept { return batch_trials_; }
  /// Batches of one pass; what is left over waits for the next epoch.
  std::int64_t steps_per_pass() const noexcept;
  /// The windows of a batch; shorter than `window` only where the stretch is.
  std::vector<Stretch> windows(std::int64_t epoch, std::int64_t step);

 private:
  void shuffle(std::int64_t epoch, std::int64_t pass);

  std::vector<Stretch> stretches_;
  std::vector<std::size_t> items_;  ///< stretch of each item of a pass
  std::int64_t batch_trials_;
  std::int64_t window_;
  std::uint64_t seed_;
  std::int64_t shuffled_epoch_ = -1, shuffled_pass_ = -1;  ///< whose order is at hand
  std::vector<std::size_t> order_;
};

/// The numbers of some windows side by side, as a filter takes them; NaN where a window is shorter or missing.
class Batch {
 public:
  Batch(std::int64_t trials, std::int64_t times, const DataSet& data);

  /// At most trials() windows. No allocation after the first use.
  void fill(std::span<const Stretch> windows);
  /// `guides` is left empty.
  smc::FilterData filter_data() const;
  std::int64_t trials() const noexcept { return trials_; }
  std::int64_t times() const noexcept { return times_; }
  /// (trial, time) with at least one observation.
  std::int64_t observed_steps() const noexcept { return observed_steps_; }
  /// [B, T]: 1 where it is one of these.
  std::span<const std::uint8_t> observed() const noexcept { return observed_; }
  /// "0: trial 3 from step 120, 1: trial 7 from step 0", in the recording's numbers, for messages.
  std::string describe() const;

 private:
  const DataSet& data_;
  std::int64_t trials_, times_;
  std::int64_t observed_steps_ = 0;
  std::vector<double> observations_, inputs_;
  std::vector<std::uint8_t> observed_;
  std::vector<Stretch> windows_;
};

}  // namespace rankflow::fit
