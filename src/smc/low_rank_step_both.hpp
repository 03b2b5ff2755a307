#pragma once
#include "smc/low_rank_step_loops.hpp"
#include "smc/low_rank_step_response.hpp"
#include "smc/low_rank_step_states.hpp"

/// The adjoints of states and weights of one application at once: potentials and slopes are computed once for both.
/// Adds in the order of StateKernels and WeightKernels, so that the bits are the same.
namespace rankflow::smc {

/// Rows of a record in registers' reach: at most row_limit, lanes beyond the counted ones zero.
template <class T, int fixed>
struct CountedLanes {
  CountedLanes(const T* source, std::int64_t rows, std::int64_t lanes) {
    for (std::int64_t row = 0; row < rows; ++row) {
      T* target = values.data() + row * block_lanes;
      std::copy_n(source + row * block_lanes, lanes, target);
      std::fill(target + lanes, target + block_lanes, T(0));
    }
  }
  alignas(64) std::array<T, row_capacity<fixed>* static_cast<std::size_t>(block_lanes)> values;
};

/// Q and R at most row_limit.
template <class T, class Phi, int Q, int R>
struct BothKernels {
  /// `sums` [N][Q + R + 1][vector]: one vector of lanes for each weight of a neuron: m, n, bias.
  static void add(const PreparedStep<T>& weights, const StepRecord<T>& record, T* zeta_adjoint, T* sums) {
    const CountedLanes<T, Q> zeta(record.zeta, weights.states(), record.lanes);
    const CountedLanes<T, R> out_adjoint(record.out_adjoint, weights.rank(), record.lanes);
    in_pieces(weights.neurons(), tile_neurons, [&](Range neurons) {
      for (std::int64_t lane = 0; lane < record.lanes; lane += together * vector_width<T>) {
        const Rows rows{zeta.values.data() + lane, out_adjoint.values.data() + lane, zeta_adjoint + lane};
        add_vectors<together>((record.lanes - lane + vector_width<T> - 1) / vector_width<T>, weights, neurons, rows,
                              sums);
      }
    });
  }

 private:
  using B = xsimd::batch<T>;
  /// Vectors of lanes that pass while a neuron's sums stay in registers.
  static constexpr int together = 4;
  struct Rows {
    const T *zeta, *out_adjoint;
    T* zeta_adjoint;
  };

  /// The first `count` vectors, V of them at most.
  template <int V>
  static void add_vectors(std::int64_t count, const PreparedStep<T>& weights, Range neurons, const Rows& rows,
                          T* sums) {
    if constexpr (V > 1)
      if (count < V) return add_vectors<V - 1>(count, weights, neurons, rows, sums);
    const std::int64_t states = Q > 0 ? Q : weights.states(), rank = R > 0 ? R : weights.rank();
    const T *m = weights.m(), *n = weights.n(), *bias = weights.bias();
    RowSums<Q, V, T> state_sums({0, states});
    for (std::int64_t i = neurons.begin; i < neurons.end; ++i) {
      const Response<Phi, T> neuron(bias, i);
      std::array<typename Response<Phi, T>::Change, V> inputs;
      std::array<B, V> rates;
      T* place = sums + i * (states + rank + 1) * vector_width<T>;
      T* bias_place = place + (states + rank) * vector_width<T>;
      B bias_sum = B::load_aligned(bias_place);
      each_row<V>(
          V, [&](std::size_t v) __attribute__((always_inline)) {
            const B x = neuron.template potential<Q>(m + i * states, states, rows.zeta + v * B::size);
            const B g = combine<R>(n + i * rank, rank, rows.out_adjoint + v * B::size);
            const auto values = neuron.all(x, g);
            inputs[v] = values.input;
            rates[v] = values.rate;
            bias_sum = sum(bias_sum, values.bias);
          });
      bias_sum.store_aligned(bias_place);
      add_products<Q>(states, inputs, rows.zeta, place);
      add_products<R>(rank, rates, rows.out_adjoint, place + states * vector_width<T>);
      state_sums.add(m + i * states, inputs);
    }
    state_sums.add_to(rows.zeta_adjoint);
  }

  /// sums[k] += sum_v factors[v] row k[v], v ascending.
  template <int fixed, class Factor, std::size_t V>
  [[gnu::always_inline]] static void add_products(std::int64_t count, const std::array<Factor, V>& factors,
                                                  const T* rows, T* sums) {
    each_row<fixed>(
        count, [&](std::size_t k) __attribute__((always_inline)) {
          B total = B::load_aligned(sums + k * B::size);
          each_row<static_cast<int>(V)>(
              V, [&](std::size_t v) __attribute__((always_inline)) {
                total = fused(factors[v], B::load_aligned(rows + k * block_lanes + v * B::size), total);
              });
          total.store_aligned(sums + k * B::size);
        });
  }
};

}  // namespace rankflow::smc
