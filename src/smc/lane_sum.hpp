#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include <xsimd/xsimd.hpp>

#include "smc/low_rank_step.hpp"

namespace rankflow::smc {

/// Lanes [begin, end) of a block.
struct LaneRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Sums over a range of a block's lanes: whole vectors from its begin on, then the rest. The order depends on the range
/// alone.
template <class T>
class LaneSum {
 public:
  using Batch = xsimd::batch<T>;

  explicit LaneSum(LaneRange lanes)
      : begin_(lanes.begin),
        rest_(lanes.begin + (lanes.end - lanes.begin) / width * width),
        // The last vector stays inside the row; lanes that are not of the rest do not count.
        last_(std::min(rest_, block_lanes - width)),
        has_rest_(rest_ < lanes.end) {
    static constexpr auto numbers = [] {
      std::array<T, Batch::size> all{};
      for (std::size_t k = 0; k < all.size(); ++k) all[k] = static_cast<T>(k);
      return all;
    }();
    const Batch lane = Batch::load_unaligned(numbers.data());
    counted_ = lane >= Batch(static_cast<T>(rest_ - last_)) && lane < Batch(static_cast<T>(lanes.end - last_));
  }

  /// values(lane): the vector of numbers from `lane` on, any lane from which a vector is inside the row.
  template <class Values>
  T operator()(const Values& values) const {
    Batch sum(T(0));
    for (std::int64_t lane = begin_; lane < rest_; lane += width) sum += values(lane);
    if (has_rest_) sum += xsimd::select(counted_, values(last_), Batch(T(0)));
    return xsimd::hadd(sum);
  }
  /// Of a row [block_lanes].
  T operator()(const T* row) const {
    return (*this)([row](std::int64_t lane) { return Batch::load_unaligned(row + lane); });
  }

 private:
  static constexpr auto width = static_cast<std::int64_t>(Batch::size);

  std::int64_t begin_, rest_, last_;
  bool has_rest_;
  typename Batch::batch_bool_type counted_;
};

/// Sum of a row [block_lanes] over the lanes.
template <class T>
T lane_sum(const T* row, LaneRange lanes) {
  return LaneSum<T>(lanes)(row);
}

}  // namespace rankflow::smc
