#pragma once
#include <functional>
#include <vector>

#include <Eigen/Core>

#include "analysis/fixed_points_map.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// Points [order, R] of closed orbits that random starts lead to (Eisenmann et al. 2023, algorithm 1), shorter ones and
/// repetitions among them, in the order of the starts. For a piecewise-linear map in discrete time. Collective.
std::vector<Eigen::MatrixXd> cycles_from_starts(const LatentMap& map, int order,
                                                const config::FixedPointsOptions& options, std::uint64_t seed,
                                                const parallel::Communicator& comm,
                                                const std::function<void(double)>& progress);

}  // namespace rankflow::analysis
