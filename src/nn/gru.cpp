#include "nn/gru.hpp"

#include "core/error.hpp"
#include "model/fast_tanh.hpp"
#include "nn/gemm.hpp"
#include "nn/lanes.hpp"

namespace rankflow::nn {
namespace {

/// Everything a pass needs, in the order [trial][time]; kept for the way back.
template <class T>
struct Pass {
  ad::Array<T> x, start, h;
  GruWeights<T> weights;
  std::int64_t trials, time, hidden;
  T* gates;      ///< [trial][time][3 H]: first W x + b, then r, z, n
  T* candidate;  ///< [trial][time][H]: U_n h + c_n
  T* recurrent;  ///< [trials][3 H]: U h + c at one time

  /// One row for each trial at time t of numbers [trial][time][columns].
  MatrixView<T> at_time(T* numbers, std::int64_t columns, std::int64_t t) const {
    return {numbers + t * columns, trials, columns, time * columns};
  }
  MatrixView<T> before(std::int64_t t) const { return t == 0 ? values_of(start) : at_time(h.value, hidden, t - 1); }
};

template <class T>
void advance(const Pass<T>& p, std::int64_t t) {
  const std::int64_t n = p.hidden;
  const auto products = view(p.recurrent, p.trials, 3 * n);
  fill_rows(products, p.weights.recurrent_bias.value);
  add_product_right_transposed(p.before(t), values_of(p.weights.recurrent), products);
  for (std::int64_t b = 0; b < p.trials; ++b) {
    const std::int64_t row = b * p.time + t;
    const T* const previous = p.before(t).first + b * p.before(t).stride;
    const T* const product = p.recurrent + b * 3 * n;
    T* const gates = p.gates + row * 3 * n;
    for_lanes<T>(n, [&](auto lanes) {
      const auto r = sigmoid(lanes.load(gates) + lanes.load(product));
      const auto z = sigmoid(lanes.load(gates + n) + lanes.load(product + n));
      const auto candidate = lanes.load(product + 2 * n);
      const auto fresh = model::fast_tanh(lanes.load(gates + 2 * n) + r * candidate);
      lanes.store(gates, r);
      lanes.store(gates + n, z);
      lanes.store(gates + 2 * n, fresh);
      lanes.store(p.candidate + row * n, candidate);
      lanes.store(p.h.value + row * n, fresh + z * (lanes.load(previous) - fresh));
    });
  }
}

/// Adjoints on the way back: of the gates' arguments from the input [trial][time][3 H] and from the recurrence (the
/// same but for n, which r multiplies), and of the state that goes to the time before [trials][H].
template <class T>
struct Adjoints {
  T* from_input;
  T* from_state;
  T* carried;
};

template <class T>
void retreat(const Pass<T>& p, const Adjoints<T>& a, std::int64_t t) {
  using Batch = xsimd::batch<T>;
  const std::int64_t n = p.hidden;
  const Batch one(T(1));
  for (std::int64_t b = 0; b < p.trials; ++b) {
    const std::int64_t row = b * p.time + t;
    const T* const previous = p.before(t).first + b * p.before(t).stride;
    const T* const gates = p.gates + row * 3 * n;
    T* const input = a.from_input + row * 3 * n;
    T* const state = a.from_state + row * 3 * n;
    T* const carried = a.carried + b * n;
    for_lanes<T>(n, [&](auto lanes) {
      const Batch r = lanes.load(gates);
      const Batch z = lanes.load(gates + n);
      const Batch fresh = lanes.load(gates + 2 * n);
      const Batch given = lanes.load(p.h.adjoint + row * n) + lanes.load(carried);
      const Batch to_n = given * (one - z) * (one - fresh * fresh);
      const Batch to_r = to_n * lanes.load(p.candidate + row * n) * r * (one - r);
      const Batch to_z = given * (lanes.load(previous) - fresh) * z * (one - z);
      lanes.store(input, to_r);
      lanes.store(input + n, to_z);
      lanes.store(input + 2 * n, to_n);
      lanes.store(state, to_r);
      lanes.store(state + n, to_z);
      lanes.store(state + 2 * n, to_n * r);
      lanes.store(carried, given * z);
    });
  }
  add_product(p.at_time(a.from_state, 3 * n, t), values_of(p.weights.recurrent), view(a.carried, p.trials, n));
}

template <class T>
void add_weight_adjoints(const Pass<T>& p, const Adjoints<T>& a) {
  const auto& w = p.weights;
  const auto input = view(a.from_input, p.trials * p.time, 3 * p.hidden);
  const auto state = view(a.from_state, p.trials * p.time, 3 * p.hidden);
  if (w.input.has_adjoint()) add_product_left_transposed(input, values_of(p.x), adjoints_of(w.input));
  if (w.input_bias.has_adjoint()) add_rows(input, w.input_bias.adjoint);
  if (w.recurrent_bias.has_adjoint()) add_rows(state, w.recurrent_bias.adjoint);
  if (!w.recurrent.has_adjoint()) return;
  add_product_left_transposed(p.at_time(a.from_state, 3 * p.hidden, 0), values_of(p.start), adjoints_of(w.recurrent));
  for (std::int64_t b = 0; b < p.trials && p.time > 1; ++b) {
    const auto later = view(a.from_state + (b * p.time + 1) * 3 * p.hidden, p.time - 1, 3 * p.hidden);
    const auto states = view(p.h.value + b * p.time * p.hidden, p.time - 1, p.hidden);
    add_product_left_transposed(later, states, adjoints_of(w.recurrent));
  }
}

template <class T>
void backward(const Pass<T>& p, ad::Arena& arena) {
  const std::int64_t rows = p.trials * p.time;
  const Adjoints<T> a{arena.allocate<T>(rows * 3 * p.hidden), arena.allocate<T>(rows * 3 * p.hidden),
                      arena.zeros<T>(p.trials * p.hidden)};
  for (std::int64_t t = p.time - 1; t >= 0; --t) retreat(p, a, t);
  if (p.start.has_adjoint())
    for (std::int64_t i = 0; i < p.start.size(); ++i) p.start.adjoint[i] += a.carried[i];
  if (p.x.has_adjoint())
    add_product(view(a.from_input, rows, 3 * p.hidden), values_of(p.weights.input), adjoints_of(p.x));
  add_weight_adjoints(p, a);
}

template <class T>
void check_shapes(const ad::Array<T>& x, std::int64_t trials, const ad::Array<T>& start, const GruWeights<T>& w) {
  const std::int64_t n = start.columns;
  if (trials < 1 || x.rows % trials != 0 || start.rows != trials || w.input.rows != 3 * n ||
      w.input.columns != x.columns || w.recurrent.rows != 3 * n || w.recurrent.columns != n ||
      w.input_bias.size() != 3 * n || w.recurrent_bias.size() != 3 * n)
    throw InternalError(
        "a recurrent unit of weights [{}, {}] and [{}, {}] for {} trials in [{}, {}] and states [{}, {}]", w.input.rows,
        w.input.columns, w.recurrent.rows, w.recurrent.columns, trials, x.rows, x.columns, start.rows, start.columns);
}

}  // namespace

template <class T>
ad::Array<T> gru(ad::Tape& tape, const ad::Array<T>& x, std::int64_t trials, const ad::Array<T>& start,
                 const GruWeights<T>& weights) {
  check_shapes(x, trials, start, weights);
  const std::int64_t n = start.columns;
  const bool differentiated = x.has_adjoint() || start.has_adjoint() || weights.input.has_adjoint() ||
                              weights.recurrent.has_adjoint() || weights.input_bias.has_adjoint() ||
                              weights.recurrent_bias.has_adjoint();
  const auto h = tape.array<T>(x.rows, n, differentiated);
  auto& arena = tape.arena();
  const Pass<T> pass{x,
                     start,
                     h,
                     weights,
                     trials,
                     x.rows / trials,
                     n,
                     arena.allocate<T>(x.rows * 3 * n),
                     arena.allocate<T>(x.rows * n),
                     arena.allocate<T>(trials * 3 * n)};
  const auto gates = view(pass.gates, x.rows, 3 * n);
  fill_rows(gates, weights.input_bias.value);
  add_product_right_transposed(values_of(x), values_of(weights.input), gates);
  for (std::int64_t t = 0; t < pass.time; ++t) advance(pass, t);
  if (h.has_adjoint()) tape.record([pass, memory = &arena] { backward(pass, *memory); });
  return h;
}

template ad::Array<float> gru(ad::Tape&, const ad::Array<float>&, std::int64_t, const ad::Array<float>&,
                              const GruWeights<float>&);
template ad::Array<double> gru(ad::Tape&, const ad::Array<double>&, std::int64_t, const ad::Array<double>&,
                               const GruWeights<double>&);

}  // namespace rankflow::nn
