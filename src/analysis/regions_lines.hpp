#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/regions_table.hpp"

namespace rankflow::analysis {

/// Where some hyperplanes meet: { foot + tangent t }.
struct Flat {
  SmallVector foot;     ///< the point nearest to 0
  SmallMatrix tangent;  ///< [n, n - number of hyperplanes], orthonormal
  bool proper = true;   ///< false: normals that depend on each other; the rest is then meaningless
};

Flat flat_of(const KinkTable& table, std::span<const std::int64_t> planes);

/// Zeros of the first output along lines. One object per rank: it holds the working space.
///
/// Along a line, G_1 is piecewise linear, with a kink at each crossing with a hyperplane. From the point nearest to 0
/// outwards, the crossings are dealt into buckets of distance; sums per bucket give G_1 at every bucket's end, and only
/// buckets in which it can be 0 are sorted: O(K) for K hyperplanes.
class LineScan {
 public:
  explicit LineScan(const KinkTable& table);

  /// All t with G_1(foot + t direction) = 0, in no particular order; also the kinks where G_1 is 0 up to rounding.
  std::span<const double> zeros(const SmallVector& foot, const SmallVector& direction);

 private:
  /// Crossings whose distance lies between two edges.
  struct alignas(32) Bucket {
    double jump = 0;       ///< sum of the jumps of the slope
    double magnitude = 0;  ///< sum of their absolute values
    double moment = 0;     ///< sum of jump times distance
    double count = 0;
  };
  struct Crossing {
    double distance;
    double jump;
  };
  /// G_1 at a distance, and its slope outwards.
  struct Front {
    double distance;
    double value;
    double rise;
  };
  void deal();
  void walk_side(std::size_t side, Front front);
  void walk_bucket(std::size_t bucket, double sign, Front front, double end);
  /// The crossings of a bucket go to sorted_, not yet sorted.
  void collect(std::int32_t bucket);
  Front front_at_foot(const SmallVector& foot, const SmallVector& direction) const;
  double rounding(double distance) const { return rounding_ * (reach_ + distance); }

  const KinkTable& table_;
  std::size_t per_side_;  ///< buckets; side 0: t >= 0, side 1: t < 0; behind them one for lines parallel to a plane
  KinkTable::Column heights_, slopes_, distances_, jumps_;
  std::vector<std::int32_t> places_;  ///< bucket of each kink
  std::vector<Bucket> buckets_;
  std::vector<double> edges_;  ///< of the buckets of a side, in units of reach_; the last one is open
  std::vector<Crossing> sorted_;
  std::vector<double> zeros_;
  double reach_ = 0;     ///< |foot| + length
  double rounding_ = 0;  ///< of G_1 per unit of distance
};

/// Binomial coefficient as a real number (it may be huge).
double combinations(std::int64_t items, int chosen);

/// The combination of `chosen` out of `items` with this number, in lexicographic order.
std::vector<std::int64_t> combination(std::int64_t items, int chosen, std::uint64_t number);

/// Steps to the next combination; false after the last one.
bool next_combination(std::int64_t items, std::vector<std::int64_t>& chosen);

}  // namespace rankflow::analysis
