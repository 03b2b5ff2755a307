#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include <xsimd/xsimd.hpp>

#include "model/fused_product.hpp"
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

template <class T>
inline constexpr std::int64_t vector_width = static_cast<std::int64_t>(xsimd::batch<T>::size);

/// V vectors of lanes side by side.
template <class T, std::size_t V>
using Lanes = std::array<xsimd::batch<T>, V>;

/// action(first lane, number of vectors) over the vectors that hold the first `lanes` lanes, two at a time: a weight is
/// loaded once for both.
template <class T, class Action>
[[gnu::always_inline]] inline void in_vector_pairs(std::int64_t lanes, Action action) {
  std::int64_t lane = 0;
  for (; lane + vector_width<T> < lanes; lane += 2 * vector_width<T>)
    action(lane, std::integral_constant<std::size_t, 2>{});
  if (lane < lanes) action(lane, std::integral_constant<std::size_t, 1>{});
}

template <class T>
[[gnu::always_inline]] inline xsimd::batch<T> load_row(const T* rows, std::int64_t row, std::size_t v) {
  return xsimd::batch<T>::load_aligned(rows + row * block_lanes + static_cast<std::int64_t>(v) * vector_width<T>);
}

/// sum_k weights[k] row k of `rows`, k ascending.
template <int fixed, std::size_t V, class T>
[[gnu::always_inline]] inline Lanes<T, V> combine(const T* weights, std::int64_t count, const T* rows) {
  using B = xsimd::batch<T>;
  Lanes<T, V> sum;
  for (std::size_t v = 0; v < V; ++v) sum[v] = B(weights[0]) * load_row(rows, 0, v);
  const std::int64_t terms = fixed > 0 ? fixed : count;
#pragma GCC unroll 8
  for (std::int64_t k = 1; k < terms; ++k)
    for (std::size_t v = 0; v < V; ++v) sum[v] = model::fused(B(weights[k]), load_row(rows, k, v), sum[v]);
  return sum;
}

/// Running sums of the rows of a range, at most row_limit of them, over V vectors.
template <int fixed, std::size_t V, class T>
class RowSums {
  using B = xsimd::batch<T>;

 public:
  [[gnu::always_inline]] explicit RowSums(Range rows) : rows_(rows) {
    for (auto& row : sums_) row.fill(B(T(0)));
  }
  /// Row k += weights[k] value.
  [[gnu::always_inline]] void add(const T* weights, const Lanes<T, V>& value) {
    const std::int64_t rows = count();
#pragma GCC unroll 8
    for (std::int64_t k = 0; k < rows; ++k)
      for (std::size_t v = 0; v < V; ++v)
        sums_[at(k)][v] = model::fused(B(weights[rows_.begin + k]), value[v], sums_[at(k)][v]);
  }
  /// target[k][lanes] += row k.
  [[gnu::always_inline]] void add_to(T* target) const {
    const std::int64_t rows = count();
    for (std::int64_t k = 0; k < rows; ++k)
      for (std::size_t v = 0; v < V; ++v) {
        T* place = target + (rows_.begin + k) * block_lanes + static_cast<std::int64_t>(v) * vector_width<T>;
        (B::load_aligned(place) + sums_[at(k)][v]).store_aligned(place);
      }
  }

 private:
  [[nodiscard]] std::int64_t count() const {
    return fixed > 0 ? fixed : rows_.end - rows_.begin;
  }
  static std::size_t at(std::int64_t k) {
    return static_cast<std::size_t>(k);
  }

  Range rows_;
  std::array<Lanes<T, V>, row_capacity<fixed>> sums_;
};

}  // namespace rankflow::smc
