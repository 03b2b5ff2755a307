#pragma once
#include <cstdint>

#include "ad/tape.hpp"

namespace rankflow::nn {

/// Rows of numbers that begin `stride` apart. Rows that are only read may overlap (the windows of a convolution).
template <class T>
struct MatrixView {
  T* first = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;
};

template <class T>
MatrixView<T> view(T* first, std::int64_t rows, std::int64_t columns) {
  return {first, rows, columns, columns};
}
template <class T>
MatrixView<T> values_of(const ad::Array<T>& array) {
  return view(array.value, array.rows, array.columns);
}
template <class T>
MatrixView<T> adjoints_of(const ad::Array<T>& array) {
  return view(array.adjoint, array.rows, array.columns);
}

/// c += a b, for float and double, like the two below. Equal shapes and numbers give equal bits as long as all arrays
/// keep their alignment, which arenas and parameter buffers see to; other shapes may order the sums otherwise, so that
/// what must be equal on any number of ranks is multiplied in units that do not depend on the ranks.
template <class T>
void add_product(const MatrixView<T>& a, const MatrixView<T>& b, const MatrixView<T>& c);
/// c += a b^T.
template <class T>
void add_product_right_transposed(const MatrixView<T>& a, const MatrixView<T>& b, const MatrixView<T>& c);
/// c += a^T b.
template <class T>
void add_product_left_transposed(const MatrixView<T>& a, const MatrixView<T>& b, const MatrixView<T>& c);
/// sums[columns] += the rows of a, from the first to the last.
template <class T>
void add_rows(const MatrixView<T>& a, T* sums);
/// Every row of a = row, or 0 without one.
template <class T>
void fill_rows(const MatrixView<T>& a, const T* row);

}  // namespace rankflow::nn
