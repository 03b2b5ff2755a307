#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "analysis/regions_cells.hpp"
#include "analysis/regions_reduction.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// Places closer than this, in units of |x| + length, are one zero.
inline constexpr double same_zero = 1e-8;

/// What a search found, the same on every rank.
struct RegionZeros {
  std::vector<Zero> zeros;  ///< in the system's own coordinates, sorted
  std::int64_t regions = 0;
  std::int64_t unresolved = 0;
};

/// All zeros of a continuous piecewise-linear system of n equations, n <= max_dimension, in about K^n log K operations
/// for K hyperplanes.
///
/// Why none is missed: mix the outputs at random. Within a region the points where all equations but the last hold form
/// a piece of a line; it ends on a hyperplane, for no region contains a whole line once the directions that no
/// hyperplane sees are split off. So every zero of G is met from a zero of the first n - 1 equations on one of the
/// hyperplanes, which is the same problem in one dimension less; at the bottom stand lines where n - 1 hyperplanes
/// meet, and there G_1 is a scalar piecewise-linear function whose zeros are found by sorting. Continuity makes ties
/// and hyperplanes through a common point harmless; no list of regions is kept.
class RegionSearch {
 public:
  /// Throws ConfigurationError when the system has more than max_dimension dimensions.
  RegionSearch(KinkedSystem system, std::uint64_t seed);
  RegionSearch(const RegionSearch&) = delete;
  RegionSearch& operator=(const RegionSearch&) = delete;

  /// Hyperplanes that differ and matter.
  std::int64_t hyperplanes() const noexcept { return table_.count(); }
  /// Dimensions that the hyperplanes see.
  int seen_dimensions() const noexcept { return table_.dimension(); }
  /// Lines to be followed, and their crossings with hyperplanes: the work.
  double lines() const;
  double crossings() const { return lines() * static_cast<double>(hyperplanes()); }

  /// Lines are dealt to ranks in blocks that do not depend on their number. `progress` is told the share done, on the
  /// calling rank. Collective.
  RegionZeros find(const parallel::Communicator& comm, const std::function<void(double)>& progress) const;

 private:
  void search_block(std::uint64_t first, std::uint64_t count, LineScan& scan, CellSearch& cells, ZeroList& found) const;
  RegionZeros gather(const parallel::Communicator& comm, const std::vector<double>& mine) const;

  /// Continua that begin where more hyperplanes meet than CellSearch tries; returns the places it could not search.
  std::int64_t add_rays(ZeroList& zeros) const;

  std::uint64_t seed_;
  KinkedSystem system_;
  Reduction reduction_;
  KinkTable table_;
};

}  // namespace rankflow::analysis
