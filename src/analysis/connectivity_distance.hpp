#pragma once
#include <cstdint>
#include <span>

#include "analysis/mixture_model.hpp"
#include "analysis/sinkhorn.hpp"
#include "config/network_options.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// What a connectivity is compared with: neurons of the true network, and E[n | m, b, d].
struct ConnectivityTruth {
  PointCloud loadings;  ///< (m, b, d) of its neurons, without what the network does not have
  ConditionalMean mean;
  int rank = 0;  ///< R
};

/// How far a connectivity is from the truth, as in Kim et al. 2026, figure 4.
struct TruthDistance {
  SinkhornResult loadings;       ///< between the distributions of (m, b, d)
  double conditional_error = 0;  ///< mean of (n_r − E[n_r | m, b, d])² over neurons and components, true E

  double total() const noexcept { return loadings.divergence + conditional_error; }
};

/// `loadings`: the neurons to judge; `n` [count, R] in the same order. Neurons are dealt to ranks; sums are exact: the
/// same bits on any number of ranks. Collective. Throws InputDataError when shapes do not fit or a value is not finite.
TruthDistance distance_to_truth(const PointCloud& loadings, std::span<const double> n, const ConnectivityTruth& truth,
                                const SinkhornOptions& options, const parallel::Communicator& comm);

/// Mean of (n_r − E[n_r | loadings])² over neurons and components. Collective, as above.
double conditional_error(const PointCloud& loadings, std::span<const double> n, const ConditionalMean& mean, int rank,
                         const parallel::Communicator& comm);

/// E[n | m, b] of a preset in closed form, as a function of its m and b (presets have no bias).
ConditionalMean preset_conditional_mean(config::Preset preset);

}  // namespace rankflow::analysis
