#pragma once
#include <cstdint>
#include <span>

#include "analysis/series.hpp"

namespace rankflow::analysis {

struct PsthOptions {
  double smoothing = 0;  ///< standard deviation of a Gaussian over time, bins
  /// The channel's mean rate counts as this many trials more, so that no rate is 0 and bins that few trials reach are
  /// drawn to the mean.
  double prior_trials = 1;
};

/// Trial-averaged rates (peri-stimulus time histogram): for each condition
///   λ(t) = (Σ_s w(t − s) Σ_trials y(s) + a λ̄) / (Σ_s w(t − s) n(s) + a),
/// n(s) trials observed at s, λ̄ the channel's mean over all trials, a = prior_trials. A channel without spikes counts
/// as having half a spike. Returns [condition, time, channel], spikes per bin. `condition` [trial] of values 0 …
/// conditions − 1; empty: all trials are one condition. Throws InternalError when it does not fit; InputDataError when
/// a channel was never observed.
Series psth(const Series& counts, std::span<const std::int64_t> condition, std::int64_t conditions,
            const PsthOptions& options = {});

/// The rates that `table` = psth(…) predicts for trials of the given conditions: [trial, time, channel].
Series rates_of_conditions(const Series& table, std::span<const std::int64_t> condition);

}  // namespace rankflow::analysis
