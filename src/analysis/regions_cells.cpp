#include "analysis/regions_cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/LU>
#include <Eigen/QR>

namespace rankflow::analysis {
namespace {

/// One of the hyperplanes through a point is left on both sides; the others' sides are tried.
constexpr std::size_t most_undecided = most_tried_hyperplanes - 1;
/// A hyperplane contains a flat when its normal's part along the flat is shorter.
constexpr double contains_angle = 1e-9;
/// Pivots smaller than this, relative to the largest, make a region's system singular.
constexpr double singular_pivot = 1e-12;
/// |G| below this, in units of steepness (|x| + length), is zero where the place is only known roughly.
constexpr double rough_zero = 1e-9;

/// Zeros on one flat closer than this, in units of |x| + length, are the same one.
constexpr double same_step = 1e-11;

double extent(const SmallVector& x, const KinkTable& table) {
  return x.lpNorm<Eigen::Infinity>() + table.length();
}

}  // namespace

bool ZeroList::insert(const Zero& zero) {
  for (auto& known : zeros_) {
    const double distance = (known.place - zero.place).lpNorm<Eigen::Infinity>();
    if (distance > tolerance_ * (zero.place.lpNorm<Eigen::Infinity>() + length_)) continue;
    known.continuum = known.continuum || zero.continuum;
    return false;
  }
  zeros_.push_back(zero);
  return true;
}

CellSearch::CellSearch(const KinkTable& table)
    : table_(table), levels_(static_cast<std::size_t>(table.dimension()) + 1) {
  for (auto& level : levels_) {
    level.heights.resize(table.padded());
    level.active.resize(table.padded());
    level.sides.resize(table.padded());
  }
}

void CellSearch::climb(const Zero& zero, std::span<const std::int64_t> planes, ZeroList& found) {
  if (planes.empty()) {
    found.insert(zero);
    return;
  }
  auto& level = levels_[static_cast<std::size_t>(table_.dimension()) - planes.size()];
  survey(zero, planes, level);
  if (level.touching.size() > planes.size() && !is_first_visit(zero, planes)) return;
  for (std::size_t dropped = 0; dropped < planes.size(); ++dropped) {
    const auto exit = exit_without(dropped, planes, level);
    if (exit.undecided.size() > most_undecided) {
      give_up(zero, level, found);
      continue;
    }
    // Many regions around a vertex lead to one zero: from there on it is followed once.
    ZeroList next(same_step, table_.length());
    const std::uint32_t choices = std::uint32_t{1} << exit.undecided.size();
    for (const double side : {1.0, -1.0})
      for (std::uint32_t choice = 0; choice < choices; ++choice) enter(zero, exit, side, choice, level, next);
    for (const auto& reached : next.zeros()) climb(reached, exit.planes, found);
  }
}

void CellSearch::leave_kinks(const Zero& zero, ZeroList& found) {
  for (std::int64_t plane = 0; plane < table_.count(); ++plane) {
    const auto k = static_cast<std::size_t>(plane);
    if (std::abs(table_.normal(k).dot(zero.place) - table_.threshold(k)) <= table_.tolerance(zero.place))
      climb(zero, std::span(&plane, 1), found);
  }
}

void CellSearch::begin_block() {
  visited_.clear();
}

bool CellSearch::is_first_visit(const Zero& zero, std::span<const std::int64_t> planes) {
  const std::vector<std::int64_t> key(planes.begin(), planes.end());
  return visited_.try_emplace(key, same_step, table_.length()).first->second.insert(zero);
}

void CellSearch::survey(const Zero& zero, std::span<const std::int64_t> planes, Level& level) {
  table_.heights(zero.place, level.heights.data());
  level.touching.clear();
  table_.divide(level.heights.data(), table_.tolerance(zero.place), level.active.data(), level.sides.data(),
                level.touching);
  level.linear = table_.linear();
  level.constant = table_.constant();
  table_.add_active(level.active.data(), level.linear, level.constant);
  level.tangent = flat_of(table_, planes).tangent;
}

CellSearch::Exit CellSearch::exit_without(std::size_t dropped, std::span<const std::int64_t> planes,
                                          const Level& level) const {
  Exit exit;
  for (std::size_t i = 0; i < planes.size(); ++i)
    if (i != dropped) exit.planes.push_back(planes[i]);
  exit.tangent = flat_of(table_, exit.planes).tangent;
  const SmallVector along = exit.tangent.transpose() * table_.normal(static_cast<std::size_t>(planes[dropped]));
  exit.direction = (exit.tangent * along).normalized();
  for (const auto kink : level.touching) {
    const SmallVector normal = table_.normal(kink);
    if ((exit.tangent.transpose() * normal).norm() <= contains_angle) continue;  // contains the larger flat too
    const bool contains = (level.tangent.transpose() * normal).norm() <= contains_angle;
    (contains ? exit.swinging : exit.undecided).push_back(kink);
  }
  return exit;
}

CellSearch::Region CellSearch::region_of(const Exit& exit, double side, std::uint32_t choice,
                                         const Level& level) const {
  Region region{level.linear, level.constant, {}};
  for (const auto kink : exit.swinging)
    region.sides.emplace_back(kink, side * table_.normal(kink).dot(exit.direction) > 0 ? 1.0 : -1.0);
  for (std::size_t i = 0; i < exit.undecided.size(); ++i)
    region.sides.emplace_back(exit.undecided[i], (choice >> i & 1U) != 0 ? 1.0 : -1.0);
  for (const auto& [kink, sign] : region.sides) {
    if (sign < 0) continue;
    const SmallVector weight = table_.weight(kink);
    region.linear += weight * table_.normal(kink).transpose();
    region.constant -= weight * table_.threshold(kink);
  }
  return region;
}

void CellSearch::enter(const Zero& zero, const Exit& exit, double side, std::uint32_t choice, const Level& level,
                       ZeroList& next) {
  Zero reached;
  if (solve(zero, exit, side, region_of(exit, side, choice, level), level, reached)) next.insert(reached);
}

bool CellSearch::solve(const Zero& zero, const Exit& exit, double side, const Region& region, const Level& level,
                       Zero& next) {
  ++regions_;
  const auto rows = exit.tangent.cols();
  const SmallMatrix matrix = region.linear.topRows(rows) * exit.tangent;
  const SmallVector value = (region.linear * zero.place + region.constant).head(rows);
  Eigen::FullPivLU<SmallMatrix> factors;
  factors.setThreshold(singular_pivot);
  factors.compute(matrix);
  if (factors.isInvertible()) {
    next = {zero.place - exit.tangent * factors.solve(value), false};
    return inside(next.place, region, level);
  }
  if (value.lpNorm<Eigen::Infinity>() > rough_zero * table_.steepness() * extent(zero.place, table_)) return false;
  // Zeros form a line or plane through this one. Go into it, as straight off the flat as it allows.
  const SmallMatrix kernel = SmallMatrix(factors.kernel()).householderQr().householderQ() *
                             SmallMatrix::Identity(rows, factors.dimensionOfKernel());
  const SmallVector off = exit.tangent * (kernel * (kernel.transpose() * (exit.tangent.transpose() * exit.direction)));
  const double size = off.norm();
  const SmallVector direction = size > contains_angle ? SmallVector(side / size * off) : SmallVector::Zero(off.size());
  return follow_continuum(zero.place, direction, region, level, next);
}

bool CellSearch::follow_continuum(const SmallVector& start, const SmallVector& direction, const Region& region,
                                  const Level& level, Zero& next) const {
  double exit_at = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < table_.padded(); ++k) {
    if (level.sides[k] == 0) continue;
    const double approach = -level.sides[k] * table_.normal(k).dot(direction);
    if (approach > 0) exit_at = std::min(exit_at, std::abs(level.heights[k]) / approach);
  }
  const double step = std::isfinite(exit_at) ? exit_at / 2 : extent(start, table_);
  next = {start + step * direction, true};
  return inside(next.place, region, level);
}

bool CellSearch::inside(const SmallVector& x, const Region& region, const Level& level) const {
  const double tolerance = table_.tolerance(x);
  for (const auto& [kink, sign] : region.sides)
    if (sign * (table_.normal(kink).dot(x) - table_.threshold(kink)) < -tolerance) return false;
  return table_.inside(x, level.sides.data(), tolerance);
}

void CellSearch::give_up(const Zero& zero, const Level& level, ZeroList& found) {
  const double size = table_.value(zero.place, level.heights.data()).lpNorm<Eigen::Infinity>();
  if (size <= rough_zero * table_.steepness() * extent(zero.place, table_))
    found.insert(zero);
  else
    ++unresolved_;
}

}  // namespace rankflow::analysis
