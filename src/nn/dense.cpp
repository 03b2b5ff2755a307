#include "nn/dense.hpp"

#include "core/error.hpp"
#include "nn/gemm.hpp"

namespace rankflow::nn {

template <class T>
ad::Array<T> dense(ad::Tape& tape, const ad::Array<T>& x, const ad::Array<T>& weights, const ad::Array<T>& bias) {
  if (x.columns != weights.columns || (bias.value != nullptr && bias.size() != weights.rows))
    throw InternalError("a dense layer of weights [{}, {}] and {} biases for {} inputs", weights.rows, weights.columns,
                        bias.size(), x.columns);
  const bool differentiated = x.has_adjoint() || weights.has_adjoint() || bias.has_adjoint();
  const auto y = tape.array<T>(x.rows, weights.rows, differentiated);
  fill_rows(values_of(y), bias.value);
  add_product_right_transposed(values_of(x), values_of(weights), values_of(y));
  if (!y.has_adjoint()) return y;
  tape.record([=] {
    const auto given = adjoints_of(y);
    if (x.has_adjoint()) add_product(given, values_of(weights), adjoints_of(x));
    if (weights.has_adjoint()) add_product_left_transposed(given, values_of(x), adjoints_of(weights));
    if (bias.has_adjoint()) add_rows(given, bias.adjoint);
  });
  return y;
}

template ad::Array<float> dense(ad::Tape&, const ad::Array<float>&, const ad::Array<float>&, const ad::Array<float>&);
template ad::Array<double> dense(ad::Tape&, const ad::Array<double>&, const ad::Array<double>&,
                                 const ad::Array<double>&);

}  // namespace rankflow::nn
