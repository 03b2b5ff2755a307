#pragma once
#include <cstdint>
#include <vector>

#include "analysis/series.hpp"

namespace rankflow::analysis {

/// Of each channel, over all trials; bins that are NaN drop out.
struct SpikeStatistics {
  std::vector<double> mean;             ///< spikes per bin
  std::vector<double> fano;             ///< variance / mean of the counts per bin
  std::vector<double> interval_mean;    ///< bins; NaN without intervals
  std::vector<double> interval_cv;      ///< standard deviation / mean of the intervals; NaN with fewer than two
  std::vector<std::int64_t> intervals;  ///< how many
};

/// Inter-spike intervals of counts: the c spikes of a bin [t, t+1) lie at t + (i + 1/2)/c. Intervals lie within a trial
/// and span no bin that was not observed.
/// Throws InputDataError naming the position of a value that is no count.
SpikeStatistics spike_statistics(const Series& counts);

/// Of the spikes of all channels together in each bin; bins with a missing channel drop out.
struct PopulationStatistics {
  double mean = 0;    ///< spikes per bin
  double sd = 0;      ///< standard deviation over bins
  double fano = 0;    ///< variance / mean
  double silent = 0;  ///< share of bins without any spike
};
PopulationStatistics population_statistics(const Series& counts);

}  // namespace rankflow::analysis
