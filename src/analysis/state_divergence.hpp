#pragma once
#include <cstdint>

#include "analysis/series.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

struct DivergenceOptions {
  std::int64_t samples = 1000;  ///< Monte Carlo points
  double bandwidth = 1.0;       ///< standard deviation of the kernels, in units of the data
  std::uint64_t seed = 0;
  std::uint32_t comparison = 0;  ///< comparisons of different number draw different points
};

/// KL(p‖q) of the Gaussian kernel densities p on the data and q on the generated states.
struct StateDivergence {
  /// Mean of log p − log q over the points whose densities do not underflow in single precision (both at least
  /// 2^(−150)): the estimate of Pals et al. 2024 (after Brenner et al. 2022).
  double published = 0;
  double published_error = 0;  ///< its Monte Carlo standard error
  /// Mean over all points, in the log domain: what the estimate above leaves out is counted.
  double complete = 0;
  double complete_error = 0;
  std::int64_t underflows = 0;  ///< points that `published` leaves out
};

/// States are rows [channel] of all trials in which every channel was observed. Points are dealt to ranks in fixed
/// groups: the same bits at any rank count. Collective.
/// Throws InternalError when the numbers of channels differ, InputDataError when either has no complete row.
StateDivergence state_divergence(const Series& data, const Series& generated, const DivergenceOptions& options,
                                 const parallel::Communicator& comm);

}  // namespace rankflow::analysis
