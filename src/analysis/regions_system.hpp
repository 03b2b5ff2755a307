#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace rankflow::analysis {

/// Largest number of dimensions in which regions are searched; small arrays live on the stack.
inline constexpr int max_dimension = 8;
using SmallVector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, max_dimension, 1>;
using SmallMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, max_dimension, max_dimension>;

/// Numbers closer to a hyperplane than this, in units of |x| + KinkedSystem::length, count as lying on it.
inline constexpr double boundary_tolerance = 1e-9;

/// A continuous piecewise-linear function of R^n,
///   G(x) = linear x + constant + sum_k weight_k relu(normal_k . x - threshold_k),
/// whose hyperplanes normal_k . x = threshold_k cut the space into regions where it is affine.
class KinkedSystem {
 public:
  /// `linear` [outputs, n], `constant` [outputs].
  KinkedSystem(SmallMatrix linear_part, SmallVector constant_part)
      : linear(std::move(linear_part)), constant(std::move(constant_part)) {}

  int dimension() const noexcept { return static_cast<int>(linear.cols()); }
  int outputs() const noexcept { return static_cast<int>(linear.rows()); }
  std::int64_t kinks() const noexcept { return static_cast<std::int64_t>(thresholds.size()); }

  void add_kink(const SmallVector& normal, double threshold, const SmallVector& weight);
  SmallVector normal(std::int64_t kink) const;
  SmallVector weight(std::int64_t kink) const;

  /// G(x).
  SmallVector evaluate(const SmallVector& x) const;
  /// Normals of length 1; hyperplanes that coincide (also with opposite normals) become one, kinks without effect
  /// vanish. The function stays the same up to rounding.
  void tidy();
  /// A length typical of the hyperplanes' distances from 0; the unit of tolerances near 0.
  double length() const;
  /// Bound of |G(x) - G(y)| / |x - y| in the maximum norm.
  double steepness() const;

  SmallMatrix linear;
  SmallVector constant;
  std::vector<double> normals;  ///< [kink, n]
  std::vector<double> thresholds;
  std::vector<double> weights;  ///< [kink, outputs]
};

}  // namespace rankflow::analysis
