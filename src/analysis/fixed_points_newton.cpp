#include "analysis/fixed_points_newton.hpp"

#include <algorithm>
#include <limits>

#include "analysis/fixed_points_deflation.hpp"
#include "analysis/fixed_points_exact.hpp"
#include "analysis/fixed_points_starts.hpp"
#include "analysis/regions_records.hpp"

namespace rankflow::analysis {
namespace {

/// Starts that know the same points. Large enough for many ranks, small enough for deflation to help.
constexpr std::int64_t round_size = 64;
/// Undeflated Newton steps at the end, which square the error each.
constexpr int polish_steps = 4;

Verified polish(const LatentMap& map, const Eigen::VectorXd& place) {
  const auto residual = [&](const Eigen::VectorXd& z) { return map.residual(z); };
  Verified best = refine(residual, map.residual_jacobian(place), place);
  for (int i = 1; i < polish_steps; ++i) best = refine(residual, map.residual_jacobian(best.place), best.place);
  return best;
}

}  // namespace

std::vector<FixedPoint> newton_fixed_points(const LatentMap& map, const config::FixedPointsOptions& options,
                                            std::uint64_t seed, const parallel::Communicator& comm,
                                            const std::function<void(double)>& progress, SearchEffort& effort) {
  const Eigen::VectorXd scale = map.drive_scale();
  const double length = std::max(scale.maxCoeff(), std::numeric_limits<double>::min());
  const double rounding = residual_rounding * map.steepness() * length;
  const RandomStarts starts(seed, StartUse::newton, 0, Eigen::VectorXd::Zero(map.rank()), options.start_scale * scale);
  DeflatedResidual residual(map, length);
  NewtonSolver solver(residual, rounding, comm);
  std::vector<FixedPoint> points;
  for (std::int64_t first = 0; first < options.starts; first += round_size) {
    const std::int64_t end = std::min(first + round_size, options.starts);
    std::vector<double> mine;  // for each success: number of the start, place
    for (std::int64_t i = first + comm.rank(); i < end; i += comm.size()) {
      const auto place = solver.solve(starts.start(i));
      if (!place) continue;
      mine.push_back(static_cast<double>(i));
      mine.insert(mine.end(), place->begin(), place->end());
    }
    for (const auto& success : gather_records(comm, mine, static_cast<std::size_t>(map.rank()) + 1)) {
      const auto verified = polish(map, Eigen::Map<const Eigen::VectorXd>(success.data() + 1, map.rank()));
      if (!(verified.residual <= rounding + residual_rounding * map.steepness() * verified.place.norm())) continue;
      ++effort.successes;
      FixedPoint point;
      point.place = verified.place;
      point.residual = verified.residual;
      const auto before = points.size();
      points.push_back(point);
      points = without_duplicates(std::move(points), length);
      if (points.size() > before) residual.forget(verified.place);
    }
    progress(static_cast<double>(end) / static_cast<double>(options.starts));
  }
  effort.starts = options.starts;
  return points;
}

}  // namespace rankflow::analysis
