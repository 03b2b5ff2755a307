#include "analysis/cycles.hpp"

#include <algorithm>
#include <limits>

#include <Eigen/LU>

#include "analysis/cycles_starts.hpp"
#include "analysis/fixed_points_exact.hpp"
#include "analysis/regions.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using Points = Eigen::MatrixXd;  // [order, R]

/// The points of a cycle one after the other, as the unknowns of one system: G_i = f(z_i) - z_{i+1}.
KinkedSystem unrolled(const KinkedSystem& single, int order) {
  const int rank = single.dimension();
  SmallMatrix linear = SmallMatrix::Zero(order * rank, order * rank);
  SmallVector constant(order * rank);
  for (int i = 0; i < order; ++i) {
    // The residual's linear part is that of f less the identity.
    linear.block(i * rank, i * rank, rank, rank) += single.linear + SmallMatrix::Identity(rank, rank);
    linear.block(i * rank, (i + 1) % order * rank, rank, rank) -= SmallMatrix::Identity(rank, rank);
    constant.segment(i * rank, rank) = single.constant;
  }
  KinkedSystem system(linear, constant);
  for (int i = 0; i < order; ++i) {
    for (std::int64_t k = 0; k < single.kinks(); ++k) {
      SmallVector normal = SmallVector::Zero(order * rank);
      SmallVector weight = SmallVector::Zero(order * rank);
      normal.segment(i * rank, rank) = single.normal(k);
      weight.segment(i * rank, rank) = single.weight(k);
      system.add_kink(normal, single.thresholds[static_cast<std::size_t>(k)], weight);
    }
  }
  return system;
}

/// As points [order, R]; `flat` holds them one after the other.
Points folded(const Eigen::VectorXd& flat, int order) {
  return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(flat.data(), order,
                                                                                                  flat.size() / order);
}

double residual_of(const LatentMap& map, const Points& points) {
  double largest = 0;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const Eigen::VectorXd next = points.row((i + 1) % points.rows());
    largest = std::max(largest, (map.evaluate(Eigen::VectorXd(points.row(i))) - next).lpNorm<Eigen::Infinity>());
  }
  return largest;
}

/// True when the points repeat before the order is through.
bool is_shorter(const Points& points, double margin) {
  const auto order = points.rows();
  for (Eigen::Index period = 1; period < order; ++period) {
    if (order % period != 0) continue;
    bool repeats = true;
    for (Eigen::Index i = 0; i < order && repeats; ++i)
      repeats = (points.row((i + period) % order) - points.row(i)).lpNorm<Eigen::Infinity>() <= margin;
    if (repeats) return true;
  }
  return false;
}

bool before(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

/// The points beginning with another one.
Points turned(const Points& points, Eigen::Index first) {
  Points result(points.rows(), points.cols());
  for (Eigen::Index i = 0; i < points.rows(); ++i) result.row(i) = points.row((first + i) % points.rows());
  return result.array() + 0.0;  // no negative zeros
}

Eigen::Index smallest(const Points& points) {
  Eigen::Index first = 0;
  for (Eigen::Index i = 1; i < points.rows(); ++i)
    if (before(points.row(i), points.row(first))) first = i;
  return first;
}

bool is_known(const Points& points, const std::vector<Cycle>& cycles, double margin) {
  for (const auto& cycle : cycles)
    for (Eigen::Index first = 0; first < points.rows(); ++first)
      if ((cycle.points - turned(points, first)).lpNorm<Eigen::Infinity>() <= margin) return true;
  return false;
}

class CycleJudge {
 public:
  CycleJudge(const LatentMap& map, KinkedSystem single) : map_(map), single_(std::move(single)) {
    single_.tidy();
    length_ = single_.length();
    rounding_ = residual_rounding * (single_.steepness() + 1);
  }
  double length() const { return length_; }
  double extent(const Points& points) const { return points.lpNorm<Eigen::Infinity>() + length_; }
  /// Adds what the points are, unless they are no cycle of their own order or one that is there.
  void judge(const Points& points, std::vector<Cycle>& cycles) const;

 private:
  bool on_kink(const Points& points) const;

  const LatentMap& map_;
  KinkedSystem single_;
  double length_ = 1;
  double rounding_ = 0;
};

bool CycleJudge::on_kink(const Points& points) const {
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    for (std::int64_t k = 0; k < single_.kinks(); ++k) {
      const double height =
          single_.normal(k).dot(SmallVector(points.row(i))) - single_.thresholds[static_cast<std::size_t>(k)];
      if (std::abs(height) <= boundary_tolerance * extent(points)) return true;
    }
  return false;
}

void CycleJudge::judge(const Points& points, std::vector<Cycle>& cycles) const {
  Cycle cycle;
  cycle.points = turned(points, smallest(points));
  cycle.residual = residual_of(map_, cycle.points);
  const double margin = same_zero * extent(points);
  if (!(cycle.residual <= rounding_ * extent(points)) || is_shorter(points, margin)) return;
  if (is_known(points, cycles, margin)) return;
  Eigen::MatrixXd product = Eigen::MatrixXd::Identity(map_.rank(), map_.rank());
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    product = (map_.jacobian(Eigen::VectorXd(cycle.points.row(i))) * product).eval();
  cycle.linear = map_stability(product);
  cycle.differentiable = !on_kink(cycle.points);
  if (!cycle.differentiable) cycle.linear.verdict = Stability::undecided;
  cycles.push_back(std::move(cycle));
}

void require_map_with_kinks(const LatentMap& map) {
  if (!map.discrete())
    throw ConfigurationError(
        "fixed_points.cycles: cycles of a given order exist in discrete time, and this network is one in continuous "
        "time (it has no attribute 'decay'); leave fixed_points.cycles at 1, or give fixed_points.decay");
  if (!map.piecewise_linear())
    throw ConfigurationError(
        "fixed_points.cycles: cycles are searched for in piecewise-linear networks (relu, clipped_relu, identity), and "
        "this network's activation is smooth; leave fixed_points.cycles at 1");
}

}  // namespace

double cycle_crossings(const LatentMap& map, int order, std::uint64_t seed) {
  require_map_with_kinks(map);
  if (order * map.rank() > max_dimension) return std::numeric_limits<double>::infinity();
  return RegionSearch(unrolled(map.kinked_system(), order), seed).crossings();
}

CycleSearch find_cycles(const LatentMap& map, int order, const config::FixedPointsOptions& options, std::uint64_t seed,
                        const parallel::Communicator& comm, const std::function<void(double)>& progress) {
  CycleSearch search;
  search.order = order;
  search.crossings = cycle_crossings(map, order, seed);
  const CycleJudge judge(map, map.kinked_system());
  std::vector<Points> candidates;
  if (search.crossings <= options.cycle_crossings) {
    const auto found = RegionSearch(unrolled(map.kinked_system(), order), seed).find(comm, progress);
    search.complete = found.unresolved == 0;
    for (const auto& zero : found.zeros) candidates.push_back(folded(zero.place, order));
  } else {
    search.starts = options.starts;
    candidates = cycles_from_starts(map, order, options, seed, comm, progress);
  }
  for (const auto& points : candidates) judge.judge(points, search.cycles);
  std::sort(search.cycles.begin(), search.cycles.end(), [](const Cycle& a, const Cycle& b) {
    return before(Eigen::VectorXd(a.points.row(0)), Eigen::VectorXd(b.points.row(0)));
  });
  return search;
}

}  // namespace rankflow::analysis
