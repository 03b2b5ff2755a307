#include "analysis/fixed_points_basins.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/fixed_points_starts.hpp"

namespace rankflow::analysis {
namespace {

/// Nearer than this to a stable point, in units of the starts' extent: arrived.
constexpr double arrived = 1e-6;
/// Slower than this per unit of time: settled; slow approaches are then still this far from their end.
constexpr double settled = 1e-10;
constexpr double end_tolerance = 1e-4;
/// Farther out than this many extents: diverged.
constexpr double lost = 1e6;

using Vector = Eigen::VectorXd;

std::span<double> span_of(Vector& z) {
  return {z.data(), static_cast<std::size_t>(z.size())};
}

/// One step of the dynamics without allocation.
class Stepper {
 public:
  Stepper(const LatentMap& map, const std::vector<FixedPoint>& points)
      : map_(map),
        middle_(map.rank()),
        slopes_{Vector(map.rank()), Vector(map.rank()), Vector(map.rank()), Vector(map.rank())} {
    double fastest = 1.0;  // leak 1
    for (const auto& point : points)
      for (const auto& value : point.linear.eigenvalues) fastest = std::max(fastest, std::abs(value) * map.tau());
    step_ = std::min(0.25, 1.5 / fastest);
  }
  /// In units of tau for a flow.
  double duration() const { return map_.discrete() ? 1.0 : step_; }

  void advance(const Vector& z, Vector& next) {
    if (map_.discrete()) {
      map_.evaluate({z.data(), static_cast<std::size_t>(z.size())}, span_of(next));
      return;
    }
    constexpr std::array<double, 4> reach{0.0, 0.5, 0.5, 1.0};
    for (std::size_t stage = 0; stage < slopes_.size(); ++stage) {
      middle_ = z;
      if (stage > 0) middle_ += reach[stage] * step_ * slopes_[stage - 1];
      map_.evaluate({middle_.data(), static_cast<std::size_t>(middle_.size())}, span_of(slopes_[stage]));
    }
    next = z + step_ / 6 * (slopes_[0] + 2 * slopes_[1] + 2 * slopes_[2] + slopes_[3]);
  }

 private:
  const LatentMap& map_;
  Vector middle_;
  std::array<Vector, 4> slopes_;
  double step_ = 1.0;
};

struct Cloud {
  Vector centre;
  Vector spread;
  double extent = 1;
};

/// Around the points found, as wide as they lie apart; a single one: as wide as the drive can push.
Cloud cloud_of(const LatentMap& map, const std::vector<FixedPoint>& points, double scale) {
  Cloud cloud{Vector::Zero(map.rank()), map.drive_scale(), 1.0};
  const auto count = static_cast<double>(points.size());
  for (const auto& point : points) cloud.centre += point.place / count;
  if (points.size() > 1) {
    Vector variance = Vector::Zero(map.rank());
    for (const auto& point : points) variance += (point.place - cloud.centre).cwiseAbs2() / count;
    const double widest = std::sqrt(variance.maxCoeff());
    cloud.spread = variance.cwiseSqrt().cwiseMax(0.05 * widest);
  }
  cloud.spread *= scale;
  cloud.extent = cloud.centre.lpNorm<Eigen::Infinity>() + cloud.spread.lpNorm<Eigen::Infinity>();
  return cloud;
}

/// Number of the point within `distance` of z, or -1.
std::int64_t point_near(const std::vector<FixedPoint>& points, const Vector& z, double distance, bool only_stable) {
  for (std::size_t i = 0; i < points.size(); ++i)
    if ((!only_stable || points[i].linear.verdict == Stability::stable) &&
        (points[i].place - z).lpNorm<Eigen::Infinity>() <= distance)
      return static_cast<std::int64_t>(i);
  return -1;
}

constexpr std::int64_t end_elsewhere = -1;
constexpr std::int64_t end_diverged = -2;

/// Where a start ends: number of a point, or one of the above.
std::int64_t end_of(Stepper& stepper, const std::vector<FixedPoint>& points, Vector z, double extent,
                    std::int64_t steps) {
  Vector next(z.size());
  for (std::int64_t i = 0; i < steps; ++i) {
    stepper.advance(z, next);
    const double size = next.lpNorm<Eigen::Infinity>();
    if (!(size <= lost * extent)) return end_diverged;
    const double change = (next - z).lpNorm<Eigen::Infinity>();
    z.swap(next);
    if (const auto point = point_near(points, z, arrived * extent, true); point >= 0) return point;
    if (change <= settled * extent * stepper.duration()) break;
  }
  return point_near(points, z, end_tolerance * extent, false);
}

}  // namespace

BasinShares measure_basins(const LatentMap& map, const config::FixedPointsOptions& options, std::uint64_t seed,
                           const parallel::Communicator& comm, const std::function<void(double)>& progress,
                           std::vector<FixedPoint>& points) {
  const auto cloud = cloud_of(map, points, options.start_scale);
  const RandomStarts starts(seed, StartUse::basins, 0, cloud.centre, cloud.spread);
  Stepper stepper(map, points);
  std::vector<std::int64_t> counts(points.size() + 2, 0);  // diverged, elsewhere, points
  for (std::int64_t i = comm.rank(); i < options.basin_starts; i += comm.size()) {
    const auto end = end_of(stepper, points, starts.start(i), cloud.extent, options.basin_steps);
    ++counts[static_cast<std::size_t>(end - end_diverged)];
    progress(static_cast<double>(i + 1) / static_cast<double>(options.basin_starts));
  }
  comm.sum(counts);
  const auto all = static_cast<double>(std::max<std::int64_t>(1, options.basin_starts));
  for (std::size_t i = 0; i < points.size(); ++i) points[i].basin = static_cast<double>(counts[i + 2]) / all;
  return {options.basin_starts, static_cast<double>(counts[0]) / all, static_cast<double>(counts[1]) / all};
}

}  // namespace rankflow::analysis
