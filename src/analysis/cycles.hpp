#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include <Eigen/Core>

#include "analysis/fixed_points_map.hpp"
#include "analysis/fixed_points_stability.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// A cycle of a discrete-time map: f(z_0) = z_1, …, f(z_{k-1}) = z_0, all different. The smallest point (first
/// coordinate, then the second, …) comes first.
struct Cycle {
  Eigen::MatrixXd points;  ///< [order, R]
  double residual = 0;     ///< largest |f(z_i) - z_{i+1}| of a latent
  LinearStability linear;  ///< multipliers of f composed k times
  bool differentiable = true;
};

/// The cycles of one order.
struct CycleSearch {
  int order = 0;
  bool complete = false;
  double crossings = 0;     ///< that an exact search follows
  std::int64_t starts = 0;  ///< random starts; 0 when the search was exact
  std::vector<Cycle> cycles;
};

/// Crossings that an exact search for cycles of this order follows; infinite above max_dimension.
double cycle_crossings(const LatentMap& map, int order, std::uint64_t seed);

/// Cycles of order `order` of a piecewise-linear map, fixed points and shorter cycles left out. z_0, …, z_{k-1}
/// together are the zero of a piecewise-linear system of k R equations, whose zeros are all found as fixed points are,
/// when the rank times k is at most max_dimension and the work at most options.cycle_crossings. Otherwise from random
/// starts, as in Eisenmann, Monfared, Göring, Durstewitz 2023 (SCYFI): solve for the cycle through the regions that the
/// start's orbit passes, start again from its solution until the regions are the same; some may be missed. Collective.
CycleSearch find_cycles(const LatentMap& map, int order, const config::FixedPointsOptions& options, std::uint64_t seed,
                        const parallel::Communicator& comm, const std::function<void(double)>& progress);

}  // namespace rankflow::analysis
