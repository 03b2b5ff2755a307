#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

#include "model/fused_product.hpp"
#include "smc/gated.hpp"
#include "smc/low_rank_step.hpp"

/// What the kernels of the low-rank step share. A size that is a template argument `fixed` is 0 where it is known at
/// run time only.
namespace rankflow::smc {

/// A tile's weights stay in the first-level cache while all lanes pass, and single precision adds no more terms than
/// this one after the other.
inline constexpr std::int64_t tile_neurons = 512;
/// The rows of so many records stay in the second-level cache while all neurons pass.
inline constexpr std::int64_t tile_records = 128;
/// Rows of sums that a kernel of run-time size holds at once.
inline constexpr std::int64_t row_limit = 8;
template <int fixed>
inline constexpr std::size_t row_capacity = static_cast<std::size_t>(fixed > 0 ? fixed : row_limit);

struct Range {
  std::int64_t begin = 0, end = 0;
};

/// action(range) for the pieces of [0, count) of at most `size`.
template <class Action>
[[gnu::always_inline]] inline void in_pieces(std::int64_t count, std::int64_t size, Action action) {
  for (std::int64_t begin = 0; begin < count; begin += size) action(Range{begin, std::min(begin + size, count)});
}

/// action(k) for begin <= k < end. Written out where `fixed` > 0 (and is the end): an array stays in registers only if
/// the compiler sees constant indices from the start.
template <int fixed, int begin = 0, class Action>
[[gnu::always_inline]] inline void each_row(std::int64_t end, Action action) {
  if constexpr (fixed > 0) {
    [&]<int... k>(std::integer_sequence<int, k...>) __attribute__((always_inline)) {
      (action(std::size_t{begin + k}), ...);
    }
    (std::make_integer_sequence<int, fixed - begin>{});
  } else {
    for (std::size_t k = begin; k < static_cast<std::size_t>(end); ++k) action(k);
  }
}

template <class T>
inline constexpr std::int64_t vector_width = static_cast<std::int64_t>(xsimd::batch<T>::size);

/// action(first lane, number of vectors) over the vectors that hold the first `lanes` lanes, two at a time: a weight is
/// loaded once for both.
template <class T, class Action>
[[gnu::always_inline]] inline void in_vector_pairs(std::int64_t lanes, Action action) {
  std::int64_t lane = 0;
  for (; lane + vector_width<T> < lanes; lane += 2 * vector_width<T>) action(lane, std::integral_constant<int, 2>{});
  if (lane < lanes) action(lane, std::integral_constant<int, 1>{});
}

/// Loads whole vectors; low_rank_step_weights.hpp has one that leaves out lanes.
struct LoadAll {
  template <class T>
  [[gnu::always_inline]] xsimd::batch<T> operator()(const T* place) const {
    return xsimd::batch<T>::load_aligned(place);
  }
};

/// sum + sum_k weights[k] row k over one vector of lanes, k ascending from `begin`.
template <int fixed, int begin, class T, class Load>
[[gnu::always_inline]] inline xsimd::batch<T> add_combination(xsimd::batch<T> sum, const T* weights, std::int64_t count,
                                                              const T* rows, const Load& load) {
  using B = xsimd::batch<T>;
  each_row<fixed, begin>(
      count, [&](std::size_t k) __attribute__((always_inline)) {
        sum = model::fused(B(weights[k]), load(rows + k * block_lanes), sum);
      });
  return sum;
}

/// sum_k weights[k] row k, as above.
template <int fixed, class T, class Load = LoadAll>
[[gnu::always_inline]] inline xsimd::batch<T> combine(const T* weights, std::int64_t count, const T* rows,
                                                      Load load = {}) {
  return add_combination<fixed, 1>(xsimd::batch<T>(weights[0]) * load(rows), weights, count, rows, load);
}

/// sums[k] += value row k over one vector of lanes; value: a batch or Gated.
template <int fixed, class Sums, class Value, class T, class Load = LoadAll>
[[gnu::always_inline]] inline void add_rows(Sums& sums, std::int64_t count, const Value& value, const T* rows,
                                            Load load = {}) {
  each_row<fixed>(
      count, [&](std::size_t k)
                 __attribute__((always_inline)) { sums[k] = fused(value, load(rows + k * block_lanes), sums[k]); });
}

}  // namespace rankflow::smc
