#include "flow/dense_layers.hpp"

#include "flow/dense_kernel.hpp"
#include "flow/sigmoid.hpp"

namespace rankflow::flow {
namespace {

/// y = x panels + biases, each register of it through finish(row, column, register).
template <class T, class Finish>
[[gnu::always_inline]] inline void product(const ProductShape& shape, Rows<const T> x, const T* panels, const T* biases,
                                           const Finish& finish) {
  using Batch = xsimd::batch<T>;
  for_panels<T>(
      shape.columns, [&](std::int64_t first, auto vectors) __attribute__((always_inline)) {
        constexpr int count = vectors();
        const T* const panel = panels + first * shape.inner;
        std::array<Batch, count> start;
        for (std::size_t v = 0; v < start.size(); ++v)
          start[v] = biases == nullptr ? Batch(T(0)) : Batch::load_unaligned(biases + first + v * Batch::size);
        for (std::int64_t row = 0; row < shape.rows; row += tile_rows) {
          Tile<T, count> tile;
          tile.fill(start);
          multiply_tile<T, count>({x.first + row * x.stride, x.stride, 1}, panel, count * lane_count<T>, shape.inner,
                                  tile);
          for (std::size_t r = 0; r < tile.size(); ++r)
            for (std::size_t v = 0; v < start.size(); ++v)
              finish(row + static_cast<std::int64_t>(r), first + static_cast<std::int64_t>(v) * lane_count<T>,
                     tile[r][v]);
        }
      });
}

}  // namespace

template <class T>
void affine(const ProductShape& shape, Rows<const T> x, const T* panels, const T* biases, Rows<T> y) {
  product<T>(
      shape, x, panels,
      biases, [&](std::int64_t row, std::int64_t column, const xsimd::batch<T>& value) __attribute__((always_inline)) {
        value.store_unaligned(y.first + row * y.stride + column);
      });
}

template <class T>
void affine_silu(const ProductShape& shape, Rows<const T> x, const T* panels, const T* biases, Rows<T> y, T* slopes) {
  using Batch = xsimd::batch<T>;
  product<T>(
      shape, x, panels,
      biases, [&](std::int64_t row, std::int64_t column, const Batch& u) __attribute__((always_inline)) {
        const Batch sigmoid = fast_sigmoid(u);
        const Batch value = u * sigmoid;
        value.store_unaligned(y.first + row * y.stride + column);
        if (slopes == nullptr) return;
        const Batch slope = model::fused_minus(value, sigmoid, sigmoid + value);
        slope.store_unaligned(slopes + row * y.stride + column);
      });
}

template <class T>
void scaled_product(const ProductShape& shape, Rows<const T> x, const T* panels, const T* factors,
                    std::int64_t factor_rows, Rows<T> y) {
  using Batch = xsimd::batch<T>;
  const bool repeated = shape.rows > factor_rows;
  product<T>(
      shape, x, panels, static_cast<const T*>(nullptr),
      [&](std::int64_t row, std::int64_t column, const Batch& value) __attribute__((always_inline)) {
        const std::int64_t factor_row = repeated ? row % factor_rows : row;
        const Batch scaled = value * Batch::load_unaligned(factors + factor_row * y.stride + column);
        scaled.store_unaligned(y.first + row * y.stride + column);
      });
}

template <class T>
void weight_gradient(std::int64_t rows, Rows<const T> adjoints, std::int64_t units, Rows<const T> x,
                     std::int64_t columns, Rows<T> out) {
  using Batch = xsimd::batch<T>;
  for_panels<T>(
      columns, [&](std::int64_t first, auto vectors) __attribute__((always_inline)) {
        constexpr int count = vectors();
        for (std::int64_t unit = 0; unit < units; unit += tile_rows) {
          Tile<T, count> tile;
          for (auto& row : tile) row.fill(Batch(T(0)));
          multiply_tile<T, count>({adjoints.first + unit, 1, adjoints.stride}, x.first + first, x.stride, rows, tile);
          for (std::size_t r = 0; r < tile.size(); ++r)
            for (std::size_t v = 0; v < static_cast<std::size_t>(count); ++v)
              tile[r][v].store_unaligned(out.first + (unit + static_cast<std::int64_t>(r)) * out.stride + first +
                                         static_cast<std::int64_t>(v) * lane_count<T>);
        }
      });
}

// NOLINTBEGIN(bugprone-macro-parentheses): types stand alone
#define RANKFLOW_INSTANTIATE(T)                                                                                \
  template void affine(const ProductShape&, Rows<const T>, const T*, const T*, Rows<T>);                       \
  template void affine_silu(const ProductShape&, Rows<const T>, const T*, const T*, Rows<T>, T*);              \
  template void scaled_product(const ProductShape&, Rows<const T>, const T*, const T*, std::int64_t, Rows<T>); \
  template void weight_gradient(std::int64_t, Rows<const T>, std::int64_t, Rows<const T>, std::int64_t, Rows<T>);
RANKFLOW_INSTANTIATE(float)
RANKFLOW_INSTANTIATE(double)
#undef RANKFLOW_INSTANTIATE
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace rankflow::flow
