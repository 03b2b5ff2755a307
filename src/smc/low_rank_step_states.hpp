#pragma once
#include "smc/low_rank_step_loops.hpp"
#include "smc/low_rank_step_response.hpp"

/// The step and its adjoint with respect to the states: neurons pass, sums over them stay in registers. Neurons are
/// added in ascending order in tiles, whatever Q, R and the number of lanes.
namespace rankflow::smc {

template <class T, class Phi, int Q, int R>
struct StateKernels {
  static void forward(const StepWeights<T>& weights, const T* zeta, std::int64_t lanes, T* out) {
    std::fill_n(out, weights.rank * block_lanes, T(0));
    in_pieces(weights.neurons, tile_neurons, [&](Range neurons) {
      in_pieces(weights.rank, row_limit, [&](Range rows) {
        in_vector_pairs<T>(lanes, [&]<std::size_t V>(std::int64_t lane, std::integral_constant<std::size_t, V>) {
          add_outputs<V>(weights, neurons, rows, zeta + lane, out + lane);
        });
      });
    });
  }

  static void adjoint(const StepWeights<T>& weights, const T* zeta, const T* out_adjoint, std::int64_t lanes,
                      T* zeta_adjoint) {
    in_pieces(weights.neurons, tile_neurons, [&](Range neurons) {
      in_pieces(weights.states, row_limit, [&](Range rows) {
        in_vector_pairs<T>(lanes, [&]<std::size_t V>(std::int64_t lane, std::integral_constant<std::size_t, V>) {
          add_adjoints<V>(weights, neurons, rows, zeta + lane, out_adjoint + lane, zeta_adjoint + lane);
        });
      });
    });
  }

 private:
  using B = xsimd::batch<T>;

  template <std::size_t V>
  static void add_outputs(const StepWeights<T>& weights, Range neurons, Range rows, const T* zeta, T* out) {
    const std::int64_t states = Q > 0 ? Q : weights.states;
    const std::int64_t rank = R > 0 ? R : weights.rank;
    RowSums<R, V, T> sums(rows);
    for (std::int64_t i = neurons.begin; i < neurons.end; ++i) {
      Lanes<T, V> x = combine<Q, V>(weights.m.data() + i * states, states, zeta);
      const B d(weights.bias[static_cast<std::size_t>(i)]);
      for (B& each : x) each = Phi::rate(each, d);
      sums.add(weights.n.data() + i * rank, x);
    }
    sums.add_to(out);
  }

  template <std::size_t V>
  static void add_adjoints(const StepWeights<T>& weights, Range neurons, Range rows, const T* zeta,
                           const T* out_adjoint, T* zeta_adjoint) {
    const std::int64_t states = Q > 0 ? Q : weights.states;
    const std::int64_t rank = R > 0 ? R : weights.rank;
    RowSums<Q, V, T> sums(rows);
    for (std::int64_t i = neurons.begin; i < neurons.end; ++i) {
      Lanes<T, V> x = combine<Q, V>(weights.m.data() + i * states, states, zeta);
      const Lanes<T, V> g = combine<R, V>(weights.n.data() + i * rank, rank, out_adjoint);
      const B d(weights.bias[static_cast<std::size_t>(i)]);
      for (std::size_t v = 0; v < V; ++v) x[v] = Response<Phi>::input(x[v], d, g[v]);
      sums.add(weights.m.data() + i * states, x);
    }
    sums.add_to(zeta_adjoint);
  }
};

}  // namespace rankflow::smc
