#pragma once
#include <cstdint>

namespace rankflow::flow {

/// Rows of padded columns, in memory that is aligned and reaches to a multiple of tile_rows rows.
template <class T>
struct Rows {
  T* first;
  std::int64_t stride;
};

/// Numbers of a product: rows [rows] times panels [inner, columns] (see PackedWeights). Rows up to the next multiple of
/// tile_rows are computed too, columns are padded ones.
struct ProductShape {
  std::int64_t rows;
  std::int64_t inner;
  std::int64_t columns;
};

/// y = x panels + biases.
template <class T>
void affine(const ProductShape& shape, Rows<const T> x, const T* panels, const T* biases, Rows<T> y);

/// y = u sigmoid(u), u = x panels + biases; and dy/du into `slopes`, which has y's stride, unless that is null.
template <class T>
void affine_silu(const ProductShape& shape, Rows<const T> x, const T* panels, const T* biases, Rows<T> y, T* slopes);

/// y = factors (x panels), element by element; row i of y takes row i % factor_rows of `factors`, which has y's stride.
/// factor_rows is a multiple of tile_rows, or not below shape.rows.
template <class T>
void scaled_product(const ProductShape& shape, Rows<const T> x, const T* panels, const T* factors,
                    std::int64_t factor_rows, Rows<T> y);

/// out [units, columns] = sum over rows of adjoints [rows, units]^T x [rows, columns]; `units` is a multiple of
/// tile_rows, columns are padded ones.
template <class T>
void weight_gradient(std::int64_t rows, Rows<const T> adjoints, std::int64_t units, Rows<const T> x,
                     std::int64_t columns, Rows<T> out);

}  // namespace rankflow::flow
