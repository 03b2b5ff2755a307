#pragma once
#include <functional>
#include <string>
#include <vector>

#include "analysis/fixed_points.hpp"
#include "analysis/regions.hpp"

namespace rankflow::analysis {

/// Nanoseconds per crossing on one core of a recent machine: for estimates in messages.
inline constexpr double nanoseconds_per_crossing = 25.0;

/// All fixed points of a piecewise-linear map, without stability and basins. Collective. Throws ConfigurationError
/// with an estimate of the time when there are more crossings than options.max_crossings.
std::vector<FixedPoint> exact_fixed_points(const LatentMap& map, const config::FixedPointsOptions& options,
                                           std::uint64_t seed, const parallel::Communicator& comm,
                                           const std::function<void(double)>& progress, SearchEffort& effort);

/// "12 hyperplanes in 2 dimensions, …, about 3 s on 2 ranks".
std::string work_text(const RegionSearch& search, int ranks);

/// A place and how well the equations hold there.
struct Verified {
  Eigen::VectorXd place;
  double residual = 0;
};

/// One Newton step, kept when the residual falls: removes the rounding of the search.
Verified refine(const std::function<Eigen::VectorXd(const Eigen::VectorXd&)>& residual, const Eigen::MatrixXd& jacobian,
                const Eigen::VectorXd& place);

/// Residuals up to this times steepness times (|z| + length) are rounding.
inline constexpr double residual_rounding = 1e-12;

/// Sorted by coordinates; of several within same_zero (|z| + length) the first one is kept.
std::vector<FixedPoint> without_duplicates(std::vector<FixedPoint> points, double length);

}  // namespace rankflow::analysis
