#include "analysis/regions_rays.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/regions.hpp"

namespace rankflow::analysis {
namespace {

/// Work on one face that is worth the rare finding of a continuum.
constexpr double most_crossings = 1e8;
/// |G| of a direction of length 1 below this, in units of steepness, is zero.
constexpr double zero_slope = 1e-9;

/// The system around `zero` as a function of the direction from there.
KinkedSystem around(const KinkTable& table, const SmallVector& zero, const std::vector<double>& heights) {
  const double near = table.tolerance(zero);
  SmallMatrix linear = table.linear();
  std::vector<std::size_t> touching;
  for (std::size_t k = 0; k < static_cast<std::size_t>(table.count()); ++k) {
    if (std::abs(heights[k]) <= near)
      touching.push_back(k);
    else if (heights[k] > 0)
      linear += table.weight(k) * table.normal(k).transpose();
  }
  KinkedSystem cone(linear, SmallVector::Zero(table.outputs()));
  for (const auto kink : touching) cone.add_kink(table.normal(kink), 0.0, table.weight(kink));
  return cone;
}

SmallVector without(const SmallVector& x, int axis) {
  SmallVector rest(x.size() - 1);
  for (int i = 0, at = 0; i < x.size(); ++i)
    if (i != axis) rest[at++] = x[i];
  return rest;
}

SmallVector with(const SmallVector& rest, int axis, double value) {
  SmallVector x(rest.size() + 1);
  for (int i = 0, at = 0; i < x.size(); ++i) x[i] = i == axis ? value : rest[at++];
  return x;
}

/// The cone on the face x_axis = side, with all but one of its mixed outputs.
KinkedSystem on_face(const KinkedSystem& cone, int axis, double side, const SmallMatrix& mix) {
  const int n = cone.dimension();
  SmallMatrix linear(n - 1, n - 1);
  const SmallMatrix mixed = mix * cone.linear;  // [n - 1, n]
  for (int row = 0; row < n - 1; ++row) linear.row(row) = without(mixed.row(row), axis).transpose();
  KinkedSystem face(linear, side * mixed.col(axis));
  for (std::int64_t k = 0; k < cone.kinks(); ++k) {
    const auto normal = cone.normal(k);
    face.add_kink(without(normal, axis), -side * normal[axis], mix * cone.weight(k));
  }
  return face;
}

/// From `zero` half-way to the first hyperplane that does not pass through it.
SmallVector step_along(const KinkTable& table, const SmallVector& zero, const SmallVector& direction,
                       const std::vector<double>& heights) {
  const double near = table.tolerance(zero);
  double reach = 2 * (zero.lpNorm<Eigen::Infinity>() + table.length());
  for (std::size_t k = 0; k < static_cast<std::size_t>(table.count()); ++k) {
    const double approach = -table.normal(k).dot(direction) / heights[k];
    if (std::abs(heights[k]) > near && approach * reach > 1) reach = 1 / approach;
  }
  return zero + reach / 2 * direction;
}

}  // namespace

std::int64_t hyperplanes_through(const KinkTable& table, const SmallVector& zero) {
  KinkTable::Column heights(table.padded());
  table.heights(zero, heights.data());
  return std::count_if(heights.begin(), heights.begin() + table.count(),
                       [&](double height) { return std::abs(height) <= table.tolerance(zero); });
}

RaySearch zero_rays(const KinkTable& table, const SmallVector& zero, std::uint64_t seed) {
  const int n = table.dimension();
  KinkTable::Column aligned(table.padded());
  table.heights(zero, aligned.data());
  const std::vector<double> heights(aligned.begin(), aligned.end());
  const auto cone = around(table, zero, heights);
  const SmallMatrix mix =
      random_rotation(n, parallel::Stream(seed, parallel::Purpose::fixed_point_directions)).topRows(n - 1);
  RaySearch result;
  for (int axis = 0; axis < n; ++axis) {
    for (const double side : {1.0, -1.0}) {
      const RegionSearch face(on_face(cone, axis, side, mix), seed);
      if (face.crossings() > most_crossings) {
        result.complete = false;
        continue;
      }
      for (const auto& found : face.find({}, [](double) {}).zeros) {
        const bool on_cube = found.place.size() == 0 || found.place.cwiseAbs().maxCoeff() <= 1 + boundary_tolerance;
        const auto direction = with(found.place, axis, side);
        const bool is_zero = cone.evaluate(direction).lpNorm<Eigen::Infinity>() <= zero_slope * table.steepness();
        if (on_cube && is_zero) result.points.push_back(step_along(table, zero, direction, heights));
      }
    }
  }
  return result;
}

}  // namespace rankflow::analysis
