#pragma once
#include "ad/tape.hpp"

namespace rankflow::nn {

/// Elementwise functions between layers.
enum class Nonlinearity {
  gelu,  ///< x Phi(x), Phi the normal distribution function (Hendrycks & Gimpel 2016)
  relu,  ///< max(x, 0); slope 0 at 0
  silu,  ///< x / (1 + exp(-x))
  tanh
};

/// f(x), element by element, on the tape. float and double.
template <class T>
ad::Array<T> activate(ad::Tape& tape, const ad::Array<T>& x, Nonlinearity kind);

}  // namespace rankflow::nn
