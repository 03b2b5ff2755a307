#pragma once
#include "smc/low_rank_step_loops.hpp"
#include "smc/low_rank_step_response.hpp"

/// The step and its adjoint with respect to the states: neurons pass, sums over them stay in registers. Neurons are
/// added in ascending order in tiles, whatever Q, R and the number of lanes.
namespace rankflow::smc {

/// Sums of the rows of a range over V vectors of lanes.
template <int fixed, int V, class T>
class RowSums {
  using B = xsimd::batch<T>;

 public:
  [[gnu::always_inline]] explicit RowSums(Range rows)
      : begin_(rows.begin), count_(fixed > 0 ? fixed : rows.end - rows.begin) {
    each([](B& sum, std::size_t, std::size_t) { sum = B(T(0)); });
  }
  /// Row k += weights[k] value.
  template <class Value>
  [[gnu::always_inline]] void add(const T* weights, const std::array<Value, V>& value) {
    const T* own = weights + begin_;
    each([&](B & sum, std::size_t k, std::size_t v)
             __attribute__((always_inline)) { sum = fused(B(own[k]), value[v], sum); });
  }
  /// target[k][lanes] += row k.
  [[gnu::always_inline]] void add_to(T* target) {
    each([&](B & sum, std::size_t k, std::size_t v) __attribute__((always_inline)) {
      T* place = target + (static_cast<std::size_t>(begin_) + k) * block_lanes + v * B::size;
      (B::load_aligned(place) + sum).store_aligned(place);
    });
  }

 private:
  template <class Action>
  [[gnu::always_inline]] void each(Action action) {
    each_row<fixed>(
        count_, [&](std::size_t k) __attribute__((always_inline)) {
          each_row<V>(
              V, [&](std::size_t v) __attribute__((always_inline)) { action(sums_[k][v], k, v); });
        });
  }

  std::int64_t begin_, count_;
  std::array<std::array<B, V>, row_capacity<fixed>> sums_;
};

template <class T, class Phi, int Q, int R>
struct StateKernels {
  static void forward(const PreparedStep<T>& weights, const T* zeta, std::int64_t lanes, T* out) {
    std::fill_n(out, weights.rank() * block_lanes, T(0));
    in_pieces(weights.neurons(), tile_neurons, [&](Range neurons) {
      in_pieces(weights.rank(), row_limit, [&](Range rows) {
        in_vector_pairs<T>(lanes, [&]<int V>(std::int64_t lane, std::integral_constant<int, V>) {
          add_outputs<V>(weights, neurons, rows, zeta + lane, out + lane);
        });
      });
    });
  }

  static void adjoint(const PreparedStep<T>& weights, const T* zeta, const T* out_adjoint, std::int64_t lanes,
                      T* zeta_adjoint) {
    in_pieces(weights.neurons(), tile_neurons, [&](Range neurons) {
      in_pieces(weights.states(), row_limit, [&](Range rows) {
        in_vector_pairs<T>(lanes, [&]<int V>(std::int64_t lane, std::integral_constant<int, V>) {
          add_adjoints<V>(weights, neurons, rows, zeta + lane, out_adjoint + lane, zeta_adjoint + lane);
        });
      });
    });
  }

 private:
  using B = xsimd::batch<T>;

  template <int V>
  static void add_outputs(const PreparedStep<T>& weights, Range neurons, Range rows, const T* zeta, T* out) {
    const std::int64_t states = Q > 0 ? Q : weights.states();
    const std::int64_t rank = R > 0 ? R : weights.rank();
    const T *m = weights.m(), *n = weights.n(), *bias = weights.bias();
    RowSums<R, V, T> sums(rows);
    for (std::int64_t i = neurons.begin; i < neurons.end; ++i) {
      const Response<Phi, T> neuron(bias, i);
      std::array<B, V> rates;
      each_row<V>(
          V, [&](std::size_t v) __attribute__((always_inline)) {
            rates[v] = neuron.rate(neuron.template potential<Q>(m + i * states, states, zeta + v * B::size));
          });
      sums.add(n + i * rank, rates);
    }
    sums.add_to(out);
  }

  template <int V>
  static void add_adjoints(const PreparedStep<T>& weights, Range neurons, Range rows, const T* zeta,
                           const T* out_adjoint, T* zeta_adjoint) {
    const std::int64_t states = Q > 0 ? Q : weights.states();
    const std::int64_t rank = R > 0 ? R : weights.rank();
    const T *m = weights.m(), *n = weights.n(), *bias = weights.bias();
    RowSums<Q, V, T> sums(rows);
    for (std::int64_t i = neurons.begin; i < neurons.end; ++i) {
      const Response<Phi, T> neuron(bias, i);
      std::array<typename Response<Phi, T>::Change, V> inputs;
      each_row<V>(
          V, [&](std::size_t v) __attribute__((always_inline)) {
            const B x = neuron.template potential<Q>(m + i * states, states, zeta + v * B::size);
            const B g = combine<R>(n + i * rank, rank, out_adjoint + v * B::size);
            inputs[v] = neuron.input(x, g);
          });
      sums.add(m + i * states, inputs);
    }
    sums.add_to(zeta_adjoint);
  }
};

}  // namespace rankflow::smc
