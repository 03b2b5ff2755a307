#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "config/simulate_options.hpp"

namespace rankflow::simulate {

/// Times (s) at which a SUNDIALS run is cut: segments between restarts, the grid of fixed steps, saved rows. Times that
/// differ by less than slack() are the same instant.
class SundialsSchedule {
 public:
  SundialsSchedule(const config::SimulateOptions& options, std::vector<double> row_times)
      : duration_(options.time.duration),
        step_(options.time.step),
        slack_(1e-13 * options.time.duration),
        row_times_(std::move(row_times)) {
    segment_ = options.integration.restart_every.value_or(duration_ / 10);
    const bool fixed = options.integration.method == config::Method::runge_kutta && !options.integration.adaptive;
    // Fixed steps are counted from 0: restarts must not shift them.
    if (fixed) segment_ = std::max(1.0, std::round(segment_ / step_)) * step_;
    // Also what is too short to be told from 0 is one segment.
    segments_ = segment_ > slack_ ? std::max<std::int64_t>(1, std::llround(std::ceil(duration_ / segment_ - 1e-9))) : 1;
  }

  double slack() const noexcept { return slack_; }
  std::int64_t segments() const noexcept { return segments_; }
  double begin(std::int64_t segment) const { return std::min(duration_, static_cast<double>(segment) * segment_); }
  double end(std::int64_t segment) const { return segment + 1 >= segments_ ? duration_ : begin(segment + 1); }

  std::int64_t rows() const noexcept { return static_cast<std::int64_t>(row_times_.size()); }
  double row_time(std::int64_t row) const { return row_times_[static_cast<std::size_t>(row)]; }
  /// True while row `row` exists and its time is not after t.
  bool row_due(std::int64_t row, double t) const { return row < rows() && row_time(row) <= t + slack_; }
  /// First row of a segment: rows of segment s lie in (begin(s), end(s)], that at 0 belongs to the first.
  std::int64_t first_row(std::int64_t segment) const {
    if (segment == 0) return 0;
    return std::upper_bound(row_times_.begin(), row_times_.end(), begin(segment) + slack_) - row_times_.begin();
  }

  /// The next point of the grid of fixed steps, k step, but not after `limit`.
  double next_grid_time(double t, double limit) const {
    const double next = (std::floor((t + slack_) / step_) + 1.0) * step_;
    return next > limit - slack_ ? limit : next;
  }

 private:
  double duration_, step_, slack_;
  double segment_ = 0.0;
  std::int64_t segments_ = 1;
  std::vector<double> row_times_;
};

}  // namespace rankflow::simulate
