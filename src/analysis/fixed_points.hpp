#pragma once
#include <complex>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "analysis/cycles.hpp"
#include "analysis/fixed_points_map.hpp"
#include "analysis/fixed_points_stability.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

enum class FixedPointKind : std::uint8_t {
  isolated = 0,
  boundary = 1,  ///< on a kink: f is not differentiable there
  continuum = 2  ///< a point of a line or plane of fixed points within one region
};

struct FixedPoint {
  Eigen::VectorXd place;
  double residual = 0;  ///< largest |f(z) - z| (map) or |f(z)| (flow) of a latent, by substitution
  FixedPointKind kind = FixedPointKind::isolated;
  LinearStability linear;
  /// Distance to the nearest kink; infinite when there is none.
  double boundary_distance = std::numeric_limits<double>::infinity();
  double basin = 0;  ///< share of the random starts that ended here
};

/// What was done to find the points.
struct SearchEffort {
  bool complete = false;
  std::int64_t hyperplanes = 0;
  double crossings = 0;         ///< of lines with hyperplanes, exact search
  std::int64_t regions = 0;     ///< regions solved, exact search
  std::int64_t unresolved = 0;  ///< places the exact search could not resolve
  std::int64_t starts = 0;      ///< Newton runs
  std::int64_t successes = 0;   ///< Newton runs that ended in a point
};

/// Where random starts ended.
struct BasinShares {
  std::int64_t starts = 0;
  double diverged = 0;   ///< share
  double elsewhere = 0;  ///< share: a cycle, chaos, or not settled within the steps allowed
};

struct FixedPointReport {
  std::vector<FixedPoint> points;  ///< sorted by the first coordinate, then the second, …
  SearchEffort effort;
  BasinShares basins;
  std::vector<CycleSearch> cycles;  ///< one per order from 2
};

/// Progress of a stage: its name and the share done on this rank.
using StageProgress = std::function<void(const std::string& stage, double done)>;

/// All that `rankflow analyze fixed-points` finds out; the same bits on any number of ranks. Collective.
/// Throws ConfigurationError for an exact search of a smooth network, one beyond max_crossings, and cycles in
/// continuous time.
FixedPointReport find_fixed_points(const LatentMap& map, const config::FixedPointsOptions& options, std::uint64_t seed,
                                   const parallel::Communicator& comm, const StageProgress& progress);

/// In words, what find_fixed_points() would do and how long that may take on `ranks` ranks.
std::string fixed_points_plan(const LatentMap& map, const config::FixedPointsOptions& options, std::uint64_t seed,
                              int ranks);

/// In words, what may have been missed.
std::string completeness_statement(const SearchEffort& effort);

}  // namespace rankflow::analysis
