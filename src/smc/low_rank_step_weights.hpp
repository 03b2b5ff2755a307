#pragma once
#include <span>

#include "smc/low_rank_step_loops.hpp"
#include "smc/low_rank_step_response.hpp"

/// The adjoints of the weights: records pass, the sums of a few neurons stay in registers. Records are added in the
/// order given, in tiles, and vectors of lanes in ascending order; a vector's lanes are added at the end of a tile.
namespace rankflow::smc {

template <class T, class Phi, int Q, int R>
struct WeightKernels {
  static void add(const StepWeights<T>& weights, std::span<const StepRecord<T>> records,
                  const StepWeightAdjoints<T>& adjoints) {
    in_pieces(static_cast<std::int64_t>(records.size()), tile_records, [&](Range tile) {
      const auto part = records.subspan(at(tile.begin), at(tile.end - tile.begin));
      // As many passes as the longer of m's and n's rows needs.
      in_pieces(std::max(weights.states, weights.rank), row_limit, [&](Range columns) {
        std::int64_t i = 0;
        for (; i + 1 < weights.neurons; i += 2) add_neurons<2>(weights, i, columns, part, adjoints);
        if (i < weights.neurons) add_neurons<1>(weights, i, columns, part, adjoints);
      });
    });
  }

 private:
  using B = xsimd::batch<T>;
  static std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

  /// The columns of one neuron's adjoints.
  struct Sums {
    std::array<B, row_capacity<Q>> m;
    std::array<B, row_capacity<R>> n;
    B bias;
  };

  template <std::size_t neurons>
  static void add_neurons(const StepWeights<T>& weights, std::int64_t first, Range columns,
                          std::span<const StepRecord<T>> records, const StepWeightAdjoints<T>& adjoints) {
    std::array<Sums, neurons> sums;
    for (Sums& each : sums) {
      each.m.fill(B(T(0)));
      each.n.fill(B(T(0)));
      each.bias = B(T(0));
    }
    for (const StepRecord<T>& record : records) {
      const std::int64_t whole = record.lanes / vector_width<T> * vector_width<T>;
      for (std::int64_t lane = 0; lane < whole; lane += vector_width<T>)
        add_vector(
            weights, first, columns, record.zeta + lane, record.out_adjoint + lane,
            [](const T* place) { return B::load_aligned(place); }, sums);
      if (whole < record.lanes) {
        const auto counted = lane_numbers() < B(static_cast<T>(record.lanes - whole));
        add_vector(
            weights, first, columns, record.zeta + whole, record.out_adjoint + whole,
            [&](const T* place) { return xsimd::select(counted, B::load_aligned(place), B(T(0))); }, sums);
      }
    }
    for (std::size_t k = 0; k < neurons; ++k)
      add_lanes(sums[k], weights, first + static_cast<std::int64_t>(k), columns, adjoints);
  }

  template <std::size_t neurons, class Load>
  [[gnu::always_inline]] static void add_vector(const StepWeights<T>& weights, std::int64_t first, Range columns,
                                                const T* zeta, const T* out_adjoint, Load load,
                                                std::array<Sums, neurons>& sums) {
    const std::int64_t states = Q > 0 ? Q : weights.states;
    const std::int64_t rank = R > 0 ? R : weights.rank;
#pragma GCC unroll 2
    for (std::size_t k = 0; k < neurons; ++k) {
      const std::int64_t i = first + static_cast<std::int64_t>(k);
      const B x = combine_loaded<Q>(weights.m.data() + i * states, states, zeta, load);
      const B g = combine_loaded<R>(weights.n.data() + i * rank, rank, out_adjoint, load);
      const auto values = Response<Phi>::all(x, B(weights.bias[at(i)]), g);
      add_rows<Q>(sums[k].m, values.input, columns, states, zeta, load);
      add_rows<R>(sums[k].n, values.rate, columns, rank, out_adjoint, load);
      sums[k].bias += values.bias;
    }
  }

  template <int fixed, class Load>
  [[gnu::always_inline]] static B combine_loaded(const T* factors, std::int64_t count, const T* rows, Load load) {
    B sum = B(factors[0]) * load(rows);
    const std::int64_t terms = fixed > 0 ? fixed : count;
#pragma GCC unroll 8
    for (std::int64_t k = 1; k < terms; ++k) sum = model::fused(B(factors[k]), load(rows + k * block_lanes), sum);
    return sum;
  }

  /// sums[k] += value row[columns.begin + k].
  template <int fixed, class Row, class Load>
  [[gnu::always_inline]] static void add_rows(Row& sums, const B& value, Range columns, std::int64_t count,
                                              const T* rows, Load load) {
    const std::int64_t terms = fixed > 0 ? fixed : std::min(columns.end, count) - columns.begin;
#pragma GCC unroll 8
    for (std::int64_t k = 0; k < terms; ++k)
      sums[at(k)] = model::fused(value, load(rows + (columns.begin + k) * block_lanes), sums[at(k)]);
  }

  static void add_lanes(const Sums& sums, const StepWeights<T>& weights, std::int64_t i, Range columns,
                        const StepWeightAdjoints<T>& adjoints) {
    for (std::int64_t k = columns.begin; k < std::min(columns.end, weights.states); ++k)
      adjoints.m[at(i * weights.states + k)] += xsimd::hadd(sums.m[at(k - columns.begin)]);
    for (std::int64_t k = columns.begin; k < std::min(columns.end, weights.rank); ++k)
      adjoints.n[at(i * weights.rank + k)] += xsimd::hadd(sums.n[at(k - columns.begin)]);
    if (columns.begin == 0) adjoints.bias[at(i)] += xsimd::hadd(sums.bias);
  }

  static B lane_numbers() {
    alignas(64) std::array<T, B::size> numbers;
    for (std::size_t k = 0; k < B::size; ++k) numbers[k] = static_cast<T>(k);
    return B::load_aligned(numbers.data());
  }
};

}  // namespace rankflow::smc
