#include "analysis/fixed_points_exact.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/LU>

#include "core/console.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

void require_feasible(const RegionSearch& search, double limit, int ranks) {
  if (search.crossings() <= limit) return;
  throw ConfigurationError(
      "fixed_points.max_crossings: the exact search means {}; allowed are {:.3g} crossings. Raise it and use more "
      "ranks, "
      "or use fixed_points.method = \"newton\", which may miss fixed points",
      work_text(search, ranks), limit);
}

double nearest_kink(const KinkedSystem& system, const SmallVector& place) {
  double nearest = std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < system.kinks(); ++k)
    nearest = std::min(nearest, std::abs(system.normal(k).dot(place) - system.thresholds[static_cast<std::size_t>(k)]));
  return nearest;
}

bool precedes(const FixedPoint& a, const FixedPoint& b) {
  return std::lexicographical_compare(a.place.begin(), a.place.end(), b.place.begin(), b.place.end());
}

}  // namespace

std::string work_text(const RegionSearch& search, int ranks) {
  return fmt::format("{} hyperplanes in {} dimension(s), {:.3g} lines, {:.3g} crossings, about {} on {} rank{}",
                     search.hyperplanes(), search.seen_dimensions(), search.lines(), search.crossings(),
                     duration_text(search.crossings() * nanoseconds_per_crossing * 1e-9 / ranks), ranks,
                     ranks == 1 ? "" : "s");
}

Verified refine(const std::function<Eigen::VectorXd(const Eigen::VectorXd&)>& residual, const Eigen::MatrixXd& jacobian,
                const Eigen::VectorXd& place) {
  const auto size = [&](const Eigen::VectorXd& z) { return residual(z).lpNorm<Eigen::Infinity>(); };
  const Eigen::FullPivLU<Eigen::MatrixXd> factors(jacobian);
  const double before_step = size(place);
  if (!factors.isInvertible()) return {place, before_step};
  const Eigen::VectorXd better = place - factors.solve(residual(place));
  const double after_step = size(better);
  return after_step < before_step ? Verified{better, after_step} : Verified{place, before_step};
}

std::vector<FixedPoint> without_duplicates(std::vector<FixedPoint> points, double length) {
  for (auto& point : points) point.place.array() += 0.0;  // no negative zeros
  std::sort(points.begin(), points.end(), precedes);
  std::vector<FixedPoint> kept;
  for (auto& point : points) {
    const double margin = same_zero * (point.place.lpNorm<Eigen::Infinity>() + length);
    const auto twin = std::find_if(kept.begin(), kept.end(), [&](const FixedPoint& other) {
      return (other.place - point.place).lpNorm<Eigen::Infinity>() <= margin;
    });
    if (twin == kept.end())
      kept.push_back(std::move(point));
    else
      twin->kind = std::max(twin->kind, point.kind);
  }
  return kept;
}

std::vector<FixedPoint> exact_fixed_points(const LatentMap& map, const config::FixedPointsOptions& options,
                                           std::uint64_t seed, const parallel::Communicator& comm,
                                           const std::function<void(double)>& progress, SearchEffort& effort) {
  auto system = map.kinked_system();
  const RegionSearch search(system, seed);
  require_feasible(search, options.max_crossings, comm.size());
  const auto found = search.find(comm, progress);
  system.tidy();
  const double length = system.length();
  const double steepness = system.steepness();
  std::vector<FixedPoint> points;
  for (const auto& zero : found.zeros) {
    const Eigen::VectorXd start = zero.place;
    const auto verified =
        refine([&](const Eigen::VectorXd& z) { return map.residual(z); }, map.residual_jacobian(start), start);
    const double extent = verified.place.lpNorm<Eigen::Infinity>() + length;
    if (!(verified.residual <= residual_rounding * steepness * extent)) continue;
    FixedPoint point;
    point.place = verified.place;
    point.residual = verified.residual;
    point.boundary_distance = nearest_kink(system, verified.place);
    if (zero.continuum)
      point.kind = FixedPointKind::continuum;
    else if (point.boundary_distance <= boundary_tolerance * extent)
      point.kind = FixedPointKind::boundary;
    points.push_back(std::move(point));
  }
  effort.hyperplanes = search.hyperplanes();
  effort.crossings = search.crossings();
  effort.regions = found.regions;
  effort.unresolved = found.unresolved;
  effort.complete = found.unresolved == 0;
  return without_duplicates(std::move(points), length);
}

}  // namespace rankflow::analysis
