#include "analysis/cycles_starts.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <Eigen/LU>

#include "analysis/fixed_points_exact.hpp"
#include "analysis/fixed_points_starts.hpp"
#include "analysis/regions_records.hpp"

namespace rankflow::analysis {
namespace {

using Points = Eigen::MatrixXd;

/// Affine systems solved from one start at most.
constexpr int most_jumps = 100;
/// Starts whose closed orbits are compared with each other before they travel.
constexpr std::int64_t starts_block = 256;

/// Values [order, R] that lie row by row.
Points rows_of(const double* values, int order, int rank) {
  return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(values, order, rank);
}

Points orbit_from(const LatentMap& map, const Eigen::VectorXd& start, int order) {
  Points points(order, start.size());
  Eigen::VectorXd z = start;
  for (int i = 0; i < order; ++i) {
    points.row(i) = z;
    z = map.evaluate(z);
  }
  return points;
}

/// The fixed point of the affine map that f composed with itself is around this orbit.
std::optional<Eigen::VectorXd> closing_start(const LatentMap& map, const Points& orbit) {
  const int rank = map.rank();
  Eigen::MatrixXd linear = Eigen::MatrixXd::Identity(rank, rank);
  Eigen::VectorXd constant = Eigen::VectorXd::Zero(rank);
  for (Eigen::Index i = 0; i < orbit.rows(); ++i) {
    const Eigen::VectorXd z = orbit.row(i);
    const Eigen::MatrixXd slope = map.jacobian(z);
    linear = (slope * linear).eval();
    constant = (slope * constant + map.evaluate(z) - slope * z).eval();
  }
  const Eigen::FullPivLU<Eigen::MatrixXd> factors(Eigen::MatrixXd::Identity(rank, rank) - linear);
  if (!factors.isInvertible()) return std::nullopt;
  const Eigen::VectorXd start = factors.solve(constant);
  if (!start.allFinite()) return std::nullopt;
  return start;
}

/// Jumps from region sequence to region sequence until the orbit closes.
std::optional<Points> close(const LatentMap& map, Eigen::VectorXd start, int order, double rounding, double length) {
  for (int jump = 0; jump < most_jumps; ++jump) {
    const auto next = closing_start(map, orbit_from(map, start, order));
    if (!next) return std::nullopt;
    start = *next;
    const auto orbit = orbit_from(map, start, order);
    const double extent = orbit.lpNorm<Eigen::Infinity>() + length;
    if (!std::isfinite(extent)) return std::nullopt;
    const Eigen::VectorXd last = orbit.row(order - 1);
    if ((map.evaluate(last) - start).lpNorm<Eigen::Infinity>() <= rounding * extent) return orbit;
  }
  return std::nullopt;
}

void keep_if_new(const Points& points, double length, std::vector<Points>& kept) {
  const double margin = same_zero * (points.lpNorm<Eigen::Infinity>() + length);
  for (const auto& other : kept)
    if ((other - points).lpNorm<Eigen::Infinity>() <= margin) return;
  kept.push_back(points);
}

}  // namespace

std::vector<Points> cycles_from_starts(const LatentMap& map, int order, const config::FixedPointsOptions& options,
                                       std::uint64_t seed, const parallel::Communicator& comm,
                                       const std::function<void(double)>& progress) {
  const auto single = map.kinked_system();
  const double length = single.length();
  const double rounding = residual_rounding * (single.steepness() + 1);
  const RandomStarts starts(seed, StartUse::cycles, static_cast<std::uint32_t>(order),
                            Eigen::VectorXd::Zero(map.rank()), options.start_scale * map.drive_scale());
  std::vector<double> mine;  // for each orbit: number of its block, points
  for (std::int64_t b = comm.rank(); b * starts_block < options.starts; b += comm.size()) {
    const std::int64_t end = std::min((b + 1) * starts_block, options.starts);
    std::vector<Points> kept;
    for (std::int64_t i = b * starts_block; i < end; ++i)
      if (const auto points = close(map, starts.start(i), order, rounding, length)) keep_if_new(*points, length, kept);
    for (const auto& points : kept) {
      mine.push_back(static_cast<double>(b));
      for (Eigen::Index row = 0; row < points.rows(); ++row)
        for (const double value : points.row(row)) mine.push_back(value);
    }
    progress(static_cast<double>(end) / static_cast<double>(options.starts));
  }
  std::vector<Points> all;
  for (const auto& record : gather_records(comm, mine, static_cast<std::size_t>(order * map.rank()) + 1))
    all.push_back(rows_of(record.data() + 1, order, map.rank()));
  return all;
}

}  // namespace rankflow::analysis
