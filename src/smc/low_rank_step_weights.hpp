#pragma once
#include <span>

#include "smc/low_rank_step_loops.hpp"
#include "smc/low_rank_step_response.hpp"

/// The adjoints of the weights: records pass, the sums of a few neurons stay in registers. Records are added in the
/// order given, in tiles, and vectors of lanes in ascending order; a vector's lanes are added at the end of a tile.
namespace rankflow::smc {

/// Loads the first `count` lanes of a vector, 0 in the others.
template <class T>
class LoadFirst {
  using B = xsimd::batch<T>;

 public:
  explicit LoadFirst(std::int64_t count) {
    alignas(64) std::array<T, B::size> numbers;
    for (std::size_t k = 0; k < B::size; ++k) numbers[k] = static_cast<T>(k);
    counted_ = B::load_aligned(numbers.data()) < B(static_cast<T>(count));
  }
  [[gnu::always_inline]] B operator()(const T* place) const {
    return xsimd::select(counted_, B::load_aligned(place), B(T(0)));
  }

 private:
  typename B::batch_bool_type counted_;
};

template <class T, class Phi, int Q, int R>
struct WeightKernels {
  static void add(const PreparedStep<T>& weights, std::span<const StepRecord<T>> records,
                  const StepWeightAdjoints<T>& adjoints) {
    in_pieces(static_cast<std::int64_t>(records.size()), tile_records, [&](Range tile) {
      const auto part =
          records.subspan(static_cast<std::size_t>(tile.begin), static_cast<std::size_t>(tile.end - tile.begin));
      // As many passes as the longer of m's and n's rows needs.
      in_pieces(std::max(weights.states(), weights.rank()), row_limit, [&](Range columns) {
        std::int64_t i = 0;
        for (; i + 1 < weights.neurons(); i += 2) add_neurons<2>(weights, i, columns, part, adjoints);
        if (i < weights.neurons()) add_neurons<1>(weights, i, columns, part, adjoints);
      });
    });
  }

 private:
  using B = xsimd::batch<T>;

  /// One neuron's row of m, n and bias, and the sums of its adjoints in the given columns.
  struct Neuron {
    const T *m, *n;
    Response<Phi, T> response;
    std::array<B, row_capacity<Q>> m_sums;
    std::array<B, row_capacity<R>> n_sums;
    B bias_sum;
  };
  /// Sizes, and the columns of the sums.
  struct Columns {
    std::int64_t states, rank, begin, m_count, n_count;
  };

  template <std::size_t... k>
  [[gnu::always_inline]] static std::array<Neuron, sizeof...(k)> make_neurons(const PreparedStep<T>& weights,
                                                                              std::int64_t first,
                                                                              std::index_sequence<k...>) {
    const auto make = [&](std::int64_t i) {
      return Neuron{.m = weights.m() + i * weights.states(),
                    .n = weights.n() + i * weights.rank(),
                    .response = Response<Phi, T>(weights.bias(), i),
                    .m_sums = {},
                    .n_sums = {},
                    .bias_sum = {}};
    };
    return {make(first + static_cast<std::int64_t>(k))...};
  }

  template <int together>
  static void add_neurons(const PreparedStep<T>& weights, std::int64_t first, Range range,
                          std::span<const StepRecord<T>> records, const StepWeightAdjoints<T>& adjoints) {
    const std::int64_t states = Q > 0 ? Q : weights.states(), rank = R > 0 ? R : weights.rank();
    const auto held = [&](std::int64_t count) { return std::clamp(count, range.begin, range.end) - range.begin; };
    const Columns columns{states, rank, range.begin, held(states), held(rank)};
    std::array<Neuron, together> neurons = make_neurons(weights, first, std::make_index_sequence<together>{});
    each_row<together>(
        together, [&](std::size_t k) __attribute__((always_inline)) {
          each_row<Q>(columns.m_count, [&](std::size_t q) { neurons[k].m_sums[q] = B(T(0)); });
          each_row<R>(columns.n_count, [&](std::size_t r) { neurons[k].n_sums[r] = B(T(0)); });
          neurons[k].bias_sum = B(T(0));
        });
    for (const StepRecord<T>& record : records) {
      const std::int64_t whole = record.lanes / vector_width<T> * vector_width<T>;
      for (std::int64_t lane = 0; lane < whole; lane += vector_width<T>)
        add_vector(columns, record.zeta + lane, record.out_adjoint + lane, LoadAll{}, neurons);
      if (whole < record.lanes)
        add_vector(columns, record.zeta + whole, record.out_adjoint + whole, LoadFirst<T>(record.lanes - whole),
                   neurons);
    }
    each_row<together>(together, [&](std::size_t k) {
      const std::int64_t i = first + static_cast<std::int64_t>(k);
      add_lanes(neurons[k], columns, i, weights.sign(i), adjoints);
    });
  }

  template <std::size_t together, class Load>
  [[gnu::always_inline]] static void add_vector(const Columns& columns, const T* zeta, const T* out_adjoint,
                                                const Load& load, std::array<Neuron, together>& neurons) {
    const T* zeta_columns = zeta + columns.begin * block_lanes;
    const T* out_columns = out_adjoint + columns.begin * block_lanes;
    each_row<static_cast<int>(together)>(
        together, [&](std::size_t k) __attribute__((always_inline)) {
          Neuron& own = neurons[k];
          const B x = own.response.template potential<Q>(own.m, columns.states, zeta, load);
          const B g = combine<R>(own.n, columns.rank, out_adjoint, load);
          const auto values = own.response.all(x, g);
          add_rows<Q>(own.m_sums, columns.m_count, values.input, zeta_columns, load);
          add_rows<R>(own.n_sums, columns.n_count, values.rate, out_columns, load);
          own.bias_sum = sum(own.bias_sum, values.bias);
        });
  }

  static void add_lanes(const Neuron& own, const Columns& columns, std::int64_t i, T sign,
                        const StepWeightAdjoints<T>& adjoints) {
    T* m = adjoints.m.data() + i * columns.states + columns.begin;
    T* n = adjoints.n.data() + i * columns.rank + columns.begin;
    each_row<Q>(columns.m_count, [&](std::size_t q) { m[q] += xsimd::hadd(own.m_sums[q]); });
    each_row<R>(columns.n_count, [&](std::size_t r) { n[r] += sign * xsimd::hadd(own.n_sums[r]); });
    if (columns.begin == 0) adjoints.bias[static_cast<std::size_t>(i)] += sign * xsimd::hadd(own.bias_sum);
  }
};

}  // namespace rankflow::smc
