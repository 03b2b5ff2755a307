#include "nn/conv1d.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "nn/gemm.hpp"

namespace rankflow::nn {
namespace {

struct Sizes {
  std::int64_t trials, time, inputs, outputs, width;
  std::int64_t before;    ///< zeros before a trial
  std::int64_t padded;    ///< time with zeros
  std::int64_t out_time;  ///< padded - width + 1
};

template <class T>
Sizes sizes_of(const ad::Array<T>& x, std::int64_t trials, const ad::Array<T>& weights, const ad::Array<T>& bias,
               std::int64_t width, Padding padding) {
  const std::int64_t row = width * x.columns;
  if (trials < 1 || x.rows % trials != 0 || width < 1 || x.columns < 1 || weights.size() % row != 0 ||
      (bias.value != nullptr && bias.size() * row != weights.size()))
    throw InternalError("a convolution of width {} with {} weights and {} biases for {} trials in [{}, {}]", width,
                        weights.size(), bias.size(), trials, x.rows, x.columns);
  const std::int64_t time = x.rows / trials;
  const std::int64_t out_time = conv1d_length(time, width, padding);
  if (out_time < 1) throw InternalError("a valid convolution of width {} over {} time steps", width, time);
  const std::int64_t before = padding == Padding::valid ? 0 : padding == Padding::causal ? width - 1 : (width - 1) / 2;
  return {trials, time, x.columns, weights.size() / row, width, before, out_time + width - 1, out_time};
}

/// Trials with the zeros around them: [trial][padded][input].
template <class T>
T* pad(ad::Arena& arena, const T* x, const Sizes& s) {
  T* const padded = arena.zeros<T>(s.trials * s.padded * s.inputs);
  for (std::int64_t b = 0; b < s.trials; ++b)
    std::copy_n(x + b * s.time * s.inputs, s.time * s.inputs, padded + (b * s.padded + s.before) * s.inputs);
  return padded;
}

/// The windows of all outputs of trial b as overlapping rows [out_time, width * inputs].
template <class T>
MatrixView<T> windows(T* padded, std::int64_t b, const Sizes& s) {
  return {padded + b * s.padded * s.inputs, s.out_time, s.width * s.inputs, s.inputs};
}

/// Adjoints of the inputs that the zeros do not hold; `work` [padded][input] is overwritten.
template <class T>
void add_input_adjoints(const MatrixView<T>& given, const MatrixView<T>& weights, T* work, T* x_adjoint,
                        const Sizes& s) {
  std::fill_n(work, s.padded * s.inputs, T(0));
  for (std::int64_t k = 0; k < s.width; ++k) {
    const MatrixView<T> tap{weights.first + k * s.inputs, s.outputs, s.inputs, s.width * s.inputs};
    add_product(given, tap, view(work + k * s.inputs, s.out_time, s.inputs));
  }
  for (std::int64_t i = 0; i < s.time * s.inputs; ++i) x_adjoint[i] += work[s.before * s.inputs + i];
}

}  // namespace

template <class T>
ad::Array<T> conv1d(ad::Tape& tape, const ad::Array<T>& x, std::int64_t trials, const ad::Array<T>& weights,
                    const ad::Array<T>& bias, std::int64_t width, Padding padding) {
  const auto s = sizes_of(x, trials, weights, bias, width, padding);
  const auto y =
      tape.array<T>(s.trials * s.out_time, s.outputs, x.has_adjoint() || weights.has_adjoint() || bias.has_adjoint());
  const auto taps = view(weights.value, s.outputs, s.width * s.inputs);
  T* const padded = s.padded == s.time ? x.value : pad(tape.arena(), x.value, s);
  fill_rows(values_of(y), bias.value);
  for (std::int64_t b = 0; b < s.trials; ++b)
    add_product_right_transposed(windows(padded, b, s), taps,
                                 view(y.value + b * s.out_time * s.outputs, s.out_time, s.outputs));
  if (!y.has_adjoint()) return y;
  T* const work = x.has_adjoint() ? tape.arena().allocate<T>(s.padded * s.inputs) : nullptr;
  tape.record([=] {
    for (std::int64_t b = 0; b < s.trials; ++b) {
      const auto given = view(y.adjoint + b * s.out_time * s.outputs, s.out_time, s.outputs);
      if (weights.has_adjoint())
        add_product_left_transposed(given, windows(padded, b, s), view(weights.adjoint, s.outputs, s.width * s.inputs));
      if (x.has_adjoint()) add_input_adjoints(given, taps, work, x.adjoint + b * s.time * s.inputs, s);
    }
    if (bias.has_adjoint()) add_rows(adjoints_of(y), bias.adjoint);
  });
  return y;
}

template ad::Array<float> conv1d(ad::Tape&, const ad::Array<float>&, std::int64_t, const ad::Array<float>&,
                                 const ad::Array<float>&, std::int64_t, Padding);
template ad::Array<double> conv1d(ad::Tape&, const ad::Array<double>&, std::int64_t, const ad::Array<double>&,
                                  const ad::Array<double>&, std::int64_t, Padding);

}  // namespace rankflow::nn
