#pragma once
#include <functional>
#include <vector>

#include "analysis/fixed_points.hpp"

namespace rankflow::analysis {

/// Follows options.basin_starts random starts and writes the share that ended in each point into `points`. A hint: the
/// starts are Gaussian around the points found, and a start is followed for options.basin_steps steps at most. A map is
/// iterated; a flow advances by Runge-Kutta steps of order 4, short enough for the eigenvalues at the points. Starts
/// are dealt to ranks; the counts do not depend on how. Collective.
BasinShares measure_basins(const LatentMap& map, const config::FixedPointsOptions& options, std::uint64_t seed,
                           const parallel::Communicator& comm, const std::function<void(double)>& progress,
                           std::vector<FixedPoint>& points);

}  // namespace rankflow::analysis
