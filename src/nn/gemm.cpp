#include "nn/gemm.hpp"

#include <algorithm>

#include <Eigen/Core>

namespace rankflow::nn {
namespace {

template <class T>
auto map(const MatrixView<T>& a) {
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<Rows, Eigen::Unaligned, Eigen::OuterStride<>>(a.first, a.rows, a.columns,
                                                                  Eigen::OuterStride<>(a.stride));
}

}  // namespace

template <class T>
void add_product(const MatrixView<T>& a, const MatrixView<T>& b, const MatrixView<T>& c) {
  map(c).noalias() += map(a) * map(b);
}

template <class T>
void add_product_right_transposed(const MatrixView<T>& a, const MatrixView<T>& b, const MatrixView<T>& c) {
  map(c).noalias() += map(a) * map(b).transpose();
}

template <class T>
void add_product_left_transposed(const MatrixView<T>& a, const MatrixView<T>& b, const MatrixView<T>& c) {
  map(c).noalias() += map(a).transpose() * map(b);
}

template <class T>
void add_rows(const MatrixView<T>& a, T* sums) {
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j) sums[j] += a.first[i * a.stride + j];
}

template <class T>
void fill_rows(const MatrixView<T>& a, const T* row) {
  for (std::int64_t i = 0; i < a.rows; ++i) {
    T* const out = a.first + i * a.stride;
    if (row == nullptr)
      std::fill_n(out, a.columns, T(0));
    else
      std::copy_n(row, a.columns, out);
  }
}

// NOLINTBEGIN(bugprone-macro-parentheses): types stand alone
#define RANKFLOW_INSTANTIATE(T)                                                                                 \
  template void add_product(const MatrixView<T>&, const MatrixView<T>&, const MatrixView<T>&);                  \
  template void add_product_right_transposed(const MatrixView<T>&, const MatrixView<T>&, const MatrixView<T>&); \
  template void add_product_left_transposed(const MatrixView<T>&, const MatrixView<T>&, const MatrixView<T>&);  \
  template void add_rows(const MatrixView<T>&, T*);                                                             \
  template void fill_rows(const MatrixView<T>&, const T*);
RANKFLOW_INSTANTIATE(float)
RANKFLOW_INSTANTIATE(double)
#undef RANKFLOW_INSTANTIATE
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace rankflow::nn
