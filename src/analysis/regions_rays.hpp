#pragma once
#include <cstdint>
#include <vector>

#include "analysis/regions_table.hpp"

namespace rankflow::analysis {

/// Points of continua that begin at a zero through which many hyperplanes pass.
struct RaySearch {
  std::vector<SmallVector> points;
  bool complete = true;  ///< false: too many hyperplanes meet there for the dimension
};

/// Hyperplanes through `zero`.
std::int64_t hyperplanes_through(const KinkTable& table, const SmallVector& zero);

/// Around `zero` the system is homogeneous: its zeros there are rays. They pierce the faces of a cube around it, and on
/// a face they are zeros of a piecewise-linear system of one dimension less. Gives a point of each ray, half-way to the
/// next hyperplane.
RaySearch zero_rays(const KinkTable& table, const SmallVector& zero, std::uint64_t seed);

}  // namespace rankflow::analysis
