#pragma once
#include <algorithm>
#include <cstdint>

#include "ad/tape.hpp"
#include "core/error.hpp"

namespace rankflow::nn {

/// Row i of an operand that has one row for all or a row for each.
template <class T>
T* row_of(T* numbers, const ad::Array<T>& operand, std::int64_t i) {
  return numbers == nullptr || operand.rows == 1 ? numbers : numbers + i * operand.columns;
}

/// The rows of an operation on operands of `columns` columns.
template <class T, class... Arrays>
std::int64_t common_rows(const char* what, std::int64_t columns, const ad::Array<T>& first, const Arrays&... others) {
  const std::int64_t rows = std::max({first.rows, others.rows...});
  const auto fits = [&](const ad::Array<T>& a) { return a.columns == columns && (a.rows == rows || a.rows == 1); };
  if (!(fits(first) && ... && fits(others)))
    throw InternalError("{}: operands of {} rows and {} columns do not fit together", what, rows, columns);
  return rows;
}

}  // namespace rankflow::nn
