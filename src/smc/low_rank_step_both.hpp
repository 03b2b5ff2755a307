#pragma once
#include "smc/low_rank_step_loops.hpp"
#include "smc/low_rank_step_response.hpp"
#include "smc/low_rank_step_states.hpp"

/// The adjoints of states and weights of one application at once: potentials and slopes are computed once for both.
/// Adds in the order of StateKernels and WeightKernels, so that the bits are the same.
namespace rankflow::smc {

/// The first rows of an application, lanes beyond the counted ones zero.
template <class T, int rows>
struct CountedLanes {
  CountedLanes(const T* source, std::int64_t lanes) {
    for (std::int64_t row = 0; row < rows; ++row) {
      T* target = values.data() + row * block_lanes;
      std::copy_n(source + row * block_lanes, lanes, target);
      std::fill(target + lanes, target + block_lanes, T(0));
    }
  }
  alignas(64) std::array<T, static_cast<std::size_t>(rows * block_lanes)> values;
};

template <class T, class Phi, int Q, int R>
struct BothKernels {
  /// `sums` [N][Q + R + 1][vector]: one vector of lanes for each weight of a neuron: m, n, bias.
  static void add(const StepWeights<T>& weights, const StepRecord<T>& record, T* zeta_adjoint, T* sums) {
    const CountedLanes<T, Q> zeta(record.zeta, record.lanes);
    const CountedLanes<T, R> out_adjoint(record.out_adjoint, record.lanes);
    in_pieces(weights.neurons, tile_neurons, [&](Range neurons) {
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
  static void add_vectors(std::int64_t count, const StepWeights<T>& weights, Range neurons, const Rows& rows,
                          T* sums) {
    if constexpr (V > 1)
      if (count < V) return add_vectors<V - 1>(count, weights, neurons, rows, sums);
    const T *m = weights.m.data(), *n = weights.n.data(), *bias = weights.bias.data();
    RowSums<Q, V, T> states({0, Q});
    for (std::int64_t i = neurons.begin; i < neurons.end; ++i) {
      T* place = sums + i * (Q + R + 1) * vector_width<T>;
      std::array<B, Q + R + 1> own;
      each_row<Q + R + 1>(0, [&](std::size_t k) __attribute__((always_inline)) {
        own[k] = B::load_aligned(place + k * B::size);
      });
      std::array<B, V> inputs;
      each_row<V>(V, [&](std::size_t v) __attribute__((always_inline)) {
        const T* zeta = rows.zeta + v * B::size;
        const T* out_adjoint = rows.out_adjoint + v * B::size;
        const B x = combine<Q>(m + i * Q, Q, zeta);
        const B g = combine<R>(n + i * R, R, out_adjoint);
        const auto values = Response<Phi>::all(x, B(bias[i]), g);
        each_row<Q>(Q, [&](std::size_t q) __attribute__((always_inline)) {
          own[q] = model::fused(values.input, B::load_aligned(zeta + q * block_lanes), own[q]);
        });
        each_row<R>(R, [&](std::size_t r) __attribute__((always_inline)) {
          own[Q + r] = model::fused(values.rate, B::load_aligned(out_adjoint + r * block_lanes), own[Q + r]);
        });
        own[Q + R] += values.bias;
        inputs[v] = values.input;
      });
      states.add(m + i * Q, inputs);
      each_row<Q + R + 1>(0, [&](std::size_t k) __attribute__((always_inline)) {
        own[k].store_aligned(place + k * B::size);
      });
    }
    states.add_to(rows.zeta_adjoint);
  }
};

}  // namespace rankflow::smc
