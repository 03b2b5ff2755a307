#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "analysis/regions_lines.hpp"
#include "analysis/regions_table.hpp"

namespace rankflow::analysis {

/// Most hyperplanes through one point around which all regions are tried.
inline constexpr std::int64_t most_tried_hyperplanes = 7;

/// A zero of a system, or a point of a continuum of them.
struct Zero {
  SmallVector place;
  bool continuum = false;
};

/// Zeros without duplicates: what lies within `tolerance` (|x| + length) of one that is there already is dropped.
class ZeroList {
 public:
  ZeroList(double tolerance, double length) : tolerance_(tolerance), length_(length) {}
  /// A point of a continuum takes the place of an isolated zero. True when `zero` is new.
  bool insert(const Zero& zero);
  const std::vector<Zero>& zeros() const noexcept { return zeros_; }

 private:
  double tolerance_;
  double length_;
  std::vector<Zero> zeros_;
};

/// Climbs from a zero of G_1 on the line where n - 1 hyperplanes meet to zeros of (G_1, G_2) on the planes where n - 2
/// of them meet, and so on to zeros of G. From a zero on a flat, the next flat is entered on both sides; in the
/// region that is met there the function is affine, and its zero counts when it lies in that region.
class CellSearch {
 public:
  explicit CellSearch(const KinkTable& table);

  /// Forgets which vertices were visited, so that what a block of lines finds does not depend on earlier ones.
  void begin_block();
  /// Adds to `found` what is reached from `zero`, which lies on all of `planes`.
  void climb(const Zero& zero, std::span<const std::int64_t> planes, ZeroList& found);

  /// In one dimension lines meet no hyperplanes on their way to regions: enters those on both sides of a zero that lies
  /// on one, where a continuum may begin.
  void leave_kinks(const Zero& zero, ZeroList& found);

  /// Regions whose affine system was solved.
  std::int64_t regions() const noexcept { return regions_; }
  /// Places where too many hyperplanes meet to try all regions around, and which are no zeros themselves.
  std::int64_t unresolved() const noexcept { return unresolved_; }

 private:
  /// What is known around a zero on a flat.
  struct Level {
    KinkTable::Column heights;
    KinkTable::Column active;  ///< 1 above, 0 on or below
    KinkTable::Column sides;   ///< 1 or -1; 0 for hyperplanes through the zero
    std::vector<std::size_t> touching;
    SmallMatrix linear;  ///< of the region, without the touching kinks
    SmallVector constant;
    SmallMatrix tangent;  ///< of the flat
  };
  /// One way off the flat.
  struct Exit {
    SmallMatrix tangent;                 ///< of the larger flat
    SmallVector direction;               ///< in it, away from the flat
    std::vector<std::size_t> swinging;   ///< touching kinks whose side the direction decides
    std::vector<std::size_t> undecided;  ///< touching kinks that cut the region met
    std::vector<std::int64_t> planes;    ///< of the larger flat
  };
  /// A region next to the zero, and the touching kinks' sides in it.
  struct Region {
    SmallMatrix linear;
    SmallVector constant;
    std::vector<std::pair<std::size_t, double>> sides;
  };

  void survey(const Zero& zero, std::span<const std::int64_t> planes, Level& level);
  Exit exit_without(std::size_t dropped, std::span<const std::int64_t> planes, const Level& level) const;
  /// The zero in one of the regions next to `zero`, if there is one, goes to `next`.
  void enter(const Zero& zero, const Exit& exit, double side, std::uint32_t choice, const Level& level, ZeroList& next);
  /// False when this vertex was left for these planes before.
  bool is_first_visit(const Zero& zero, std::span<const std::int64_t> planes);
  Region region_of(const Exit& exit, double side, std::uint32_t choice, const Level& level) const;
  /// True when the region's affine system has a zero in the flat and the region; it goes to `next`.
  bool solve(const Zero& zero, const Exit& exit, double side, const Region& region, const Level& level, Zero& next);
  bool follow_continuum(const SmallVector& start, const SmallVector& direction, const Region& region,
                        const Level& level, Zero& next) const;
  bool inside(const SmallVector& x, const Region& region, const Level& level) const;
  void give_up(const Zero& zero, const Level& level, ZeroList& found);

  const KinkTable& table_;
  std::vector<Level> levels_;                              ///< by the dimension of the flat
  std::map<std::vector<std::int64_t>, ZeroList> visited_;  ///< vertices where further hyperplanes meet, by planes
  std::int64_t regions_ = 0;
  std::int64_t unresolved_ = 0;
};

}  // namespace rankflow::analysis
