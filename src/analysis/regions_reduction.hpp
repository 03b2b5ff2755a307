#pragma once
#include <optional>
#include <vector>

#include <Eigen/Core>

#include "analysis/regions_system.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::analysis {

/// Zeros of a system G on R^n traced back to those of one whose normals span its space. Along the directions that no
/// hyperplane sees (lineality), G is linear, and its zeros there follow from the others.
class Reduction {
 public:
  /// `stream`: outputs are mixed by a rotation drawn from it, so that the search meets no special direction.
  Reduction(const KinkedSystem& full, const parallel::Stream& stream);

  /// As many outputs as dimensions; normals span them. May have no dimension at all.
  const KinkedSystem& system() const noexcept { return system_; }
  /// True when G is singular along the unseen directions: zeros, if any, come in lines or planes.
  bool degenerate() const noexcept { return degenerate_; }
  /// The point of R^n whose seen coordinates are `y`, the others solving G = 0 in the least-squares sense.
  SmallVector lift(const SmallVector& y) const;

 private:
  const KinkedSystem* full_;
  SmallMatrix seen_;      ///< [n, r] orthonormal, spans the normals
  SmallMatrix unseen_;    ///< [n, n - r] orthonormal complement
  SmallMatrix response_;  ///< linear part along the unseen directions [n, n - r]
  KinkedSystem system_;
  bool degenerate_ = false;
};

/// A random orthogonal matrix, the same on every rank.
SmallMatrix random_rotation(int size, const parallel::Stream& stream);

}  // namespace rankflow::analysis
