#pragma once
#include <functional>
#include <vector>

#include "analysis/fixed_points.hpp"

namespace rankflow::analysis {

/// Fixed points by Newton's method (PETSc SNES, line search, dense Jacobian) from options.starts random starts, with
/// deflation: the residual is multiplied by prod_i (s^2 / |z - z_i|^2 + 1) over the points z_i known, so that none is
/// found twice (Farrell, Birkisson, Funke 2015, eq. 2.4). Starts go in rounds of fixed size, and a round knows the
/// points of the rounds before: the result does not depend on ranks. Points may be missed. Collective.
std::vector<FixedPoint> newton_fixed_points(const LatentMap& map, const config::FixedPointsOptions& options,
                                            std::uint64_t seed, const parallel::Communicator& comm,
                                            const std::function<void(double)>& progress, SearchEffort& effort);

}  // namespace rankflow::analysis
