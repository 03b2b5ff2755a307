#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <xsimd/xsimd.hpp>

#include "model/fused_product.hpp"

/// Products of small dense matrices in tiles that stay in registers. A number of a product is one chain of fused
/// products in ascending order of the inner index, wherever it lies: bits do not depend on how rows are cut.
namespace rankflow::flow {

/// Columns of operands come in multiples of this, rows in multiples of tile_rows; zeros fill what is not used.
inline constexpr std::int64_t column_padding = 16;
inline constexpr std::int64_t tile_rows = 4;
/// Vector registers of a tile's row.
inline constexpr std::int64_t tile_vectors = 4;

template <class T>
inline constexpr auto lane_count = static_cast<std::int64_t>(xsimd::batch<T>::size);

constexpr std::int64_t padded(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

/// Calls body(first_column, vectors), the second a compile-time constant <= tile_vectors, for column ranges that
/// together make `columns` (padded).
template <class T, class Body>
[[gnu::always_inline]] inline void for_panels(std::int64_t columns, const Body& body) {
  constexpr std::int64_t whole = tile_vectors * lane_count<T>;
  std::int64_t first = 0;
  for (; first + whole <= columns; first += whole) body(first, std::integral_constant<int, tile_vectors>{});
  switch ((columns - first) / lane_count<T>) {
    case 1:
      return body(first, std::integral_constant<int, 1>{});
    case 2:
      return body(first, std::integral_constant<int, 2>{});
    case 3:
      return body(first, std::integral_constant<int, 3>{});
    default:
      return;
  }
}

/// Element (row, k) of a left operand lies at first[row row_stride + k inner_stride].
template <class T>
struct LeftOperand {
  const T* first;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t inner_stride;
};

template <class T, int vectors>
using Tile = std::array<std::array<xsimd::batch<T>, vectors>, tile_rows>;

/// tile += left right over `inner` indices; row k of the right operand lies at right + k right_stride.
template <class T, int vectors>
[[gnu::always_inline]] inline void multiply_tile(const LeftOperand<T>& left, const T* right,
                                                 std::ptrdiff_t right_stride, std::int64_t inner,
                                                 Tile<T, vectors>& tile) {
  using Batch = xsimd::batch<T>;
  const T* factor = left.first;
  for (std::int64_t k = 0; k < inner; ++k, factor += left.inner_stride, right += right_stride) {
    std::array<Batch, vectors> row;
    for (std::size_t v = 0; v < vectors; ++v) row[v] = Batch::load_unaligned(right + v * Batch::size);
    for (std::size_t r = 0; r < tile_rows; ++r) {
      const Batch scalar(factor[static_cast<std::ptrdiff_t>(r) * left.row_stride]);
      for (std::size_t v = 0; v < vectors; ++v) tile[r][v] = model::fused(scalar, row[v], tile[r][v]);
    }
  }
}

}  // namespace rankflow::flow
