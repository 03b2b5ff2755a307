#pragma once
#include <cstdint>
#include <vector>

#include <xsimd/xsimd.hpp>

#include "analysis/regions_system.hpp"

namespace rankflow::analysis {

/// The kinks of a system as columns for vector loops, padded with kinks that nothing meets. Immutable.
class KinkTable {
 public:
  using Column = std::vector<double, xsimd::aligned_allocator<double>>;

  explicit KinkTable(const KinkedSystem& system);

  int dimension() const noexcept { return dimension_; }
  int outputs() const noexcept { return outputs_; }
  std::int64_t count() const noexcept { return count_; }
  std::size_t padded() const noexcept { return thresholds_.size(); }
  double length() const noexcept { return length_; }
  double steepness() const noexcept { return steepness_; }
  const SmallMatrix& linear() const noexcept { return linear_; }
  const SmallVector& constant() const noexcept { return constant_; }
  double weight(int output, std::size_t kink) const noexcept {
    return weights_[static_cast<std::size_t>(output)][kink];
  }
  const Column& weights(int output) const noexcept { return weights_[static_cast<std::size_t>(output)]; }
  SmallVector normal(std::size_t kink) const;
  SmallVector weight(std::size_t kink) const;
  double threshold(std::size_t kink) const noexcept { return thresholds_[kink]; }
  /// How far from a hyperplane counts as on it, at x.
  double tolerance(const SmallVector& x) const;

  /// heights[k] = normal_k . x - threshold_k, over padded() kinks.
  void heights(const SmallVector& x, double* heights) const;
  /// slopes[k] = normal_k . direction.
  void slopes(const SmallVector& direction, double* slopes) const;
  /// G(x), from the heights at x.
  SmallVector value(const SmallVector& x, const double* heights) const;
  /// Adds sum_k active_k weight_k normal_k^T to `linear` and -sum_k active_k weight_k threshold_k to `constant`.
  void add_active(const double* active, SmallMatrix& linear, SmallVector& constant) const;
  /// From heights: active[k] 1 above `near`, else 0; sides[k] 1 above, -1 below, 0 within `near`; the latter kinks are
  /// appended to `touching`.
  void divide(const double* heights, double near, double* active, double* sides,
              std::vector<std::size_t>& touching) const;
  /// Whether sides[k] (normal_k . x - threshold_k) >= -tolerance for all k.
  bool inside(const SmallVector& x, const double* sides, double tolerance) const;

 private:
  int dimension_;
  int outputs_;
  std::int64_t count_;
  std::vector<Column> normals_;  ///< one per dimension
  Column thresholds_;
  std::vector<Column> weights_;  ///< one per output
  SmallMatrix linear_;
  SmallVector constant_;
  double length_;
  double steepness_;
};

}  // namespace rankflow::analysis
