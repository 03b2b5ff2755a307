#pragma once
#include <cstdint>

#include "analysis/sinkhorn.hpp"

namespace rankflow::analysis {

/// Half the squared sliced 2-Wasserstein distance (Bonneel et al. 2015): the mean over `directions` random unit vectors
/// of the optimal transport between projections at cost |x − y|²/2. Costs a sort per direction, so that it suits clouds
/// that Sinkhorn's algorithm does not; for one dimension it is the exact transport. Directions are dealt to ranks: the
/// same bits on any number of ranks. Collective. Throws InputDataError as sinkhorn_divergence().
double sliced_transport(const PointCloud& x, const PointCloud& y, std::int64_t directions, std::uint64_t seed,
                        const parallel::Communicator& comm);

}  // namespace rankflow::analysis
