#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"

namespace rankflow::analysis {

enum class TailKind : std::uint8_t {
  heavy = 0,     ///< falls as a power: the confidence interval of the extreme-value index lies above 0
  light = 1,     ///< no power seen: the interval reaches 0 or below
  undecided = 2  ///< too few values, or too few that differ
};

std::string name_of(TailKind kind);

/// How the largest magnitudes |x| of N values fall off: P(|x| > s) ~ s^-index for a heavy tail.
struct TailEstimate {
  std::int64_t values = 0;       ///< N
  std::int64_t exceedances = 0;  ///< k, the largest magnitudes that were looked at; 0 when undecided
  double threshold = 0;          ///< magnitude that they exceed
  double index = 0;              ///< Hill's estimate (Hill 1975, Annals of Statistics 3); NaN when undecided
  double lower = 0, upper = 0;   ///< its 95 % interval, exact for a tail that is a power beyond the threshold
  /// Extreme-value index of Dekkers, Einmahl & de Haan 1989 (Annals of Statistics 17), 1/index for a heavy tail, 0 or
  /// less without one, and its 95 % interval.
  double shape = 0, shape_lower = 0, shape_upper = 0;
  TailKind kind = TailKind::undecided;
  /// Smallest index that the interval of `shape` allows; infinite when it does not reach above 0.
  double index_at_least() const;
};

/// Values whose tail is estimated at least.
inline constexpr std::int64_t least_tail_values = 400;

/// k = sqrt(N), rounded up: for N -> infinity both interval and bias shrink, the bias first (Student-t: it falls as
/// N^-(1/nu), the width as N^-(1/4) for nu < 4).
std::int64_t tail_exceedances(std::int64_t values);

/// `largest`: at least k + 1 largest magnitudes of `values` values, descending; those of all when there are fewer.
TailEstimate estimate_tail(std::span<const double> largest, std::int64_t values);

/// The `count` largest magnitudes of the values of all ranks, descending, on every rank; fewer when there are not so
/// many. Collective.
std::vector<double> largest_magnitudes(std::span<const double> local, std::int64_t count,
                                       const parallel::Communicator& comm);

/// Tail of `values` distributed values. Collective.
TailEstimate estimate_tail(std::span<const double> local, std::int64_t values, const parallel::Communicator& comm);

}  // namespace rankflow::analysis
