#pragma once
#include <string>
#include <vector>

#include "sweep/results.hpp"

namespace rankflow::sweep {

/// How far a sweep is. Cases that were ended early are neither done nor failed.
struct Progress {
  std::size_t cases = 0, done = 0, halted = 0, failed = 0, running = 0, waiting = 0;
  /// s until all cases are over, at the mean time of those done and as many at once as now; negative when unknown.
  double seconds_left = -1;

  bool over() const noexcept { return running + waiting == 0; }
};

Progress progress_of(const std::vector<CaseResult>& results);

/// A line for each case that ended without a result, with the reason; the first ten of them.
std::string failures_text(const Plan& plan, const std::vector<CaseResult>& results);

/// Counts, time left, best setting so far, and every failure with its reason: several lines.
std::string status_text(const Plan& plan, const std::vector<CaseResult>& results);

}  // namespace rankflow::sweep
