// Time of the low-rank step over a block of particles, in ns per neuron, particle and step ("per_item"), in the setting
// of the published EEG fits: N = 512, R = 3, clipped ReLU, 50 steps, one core. A step of 96 particles is two blocks.
//   forward   50 steps;
//   states    their adjoints with respect to the states;
//   weights   the adjoints of the weights, all steps at once;
//   both      all three: a gradient.
// "fma/s": fused multiply-adds of the matrix products alone, to compare with fma_peak, what this core can do; the
// activation and its slopes come on top: for clipped ReLU at R = 3, 27 products of 45 vector instructions.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>
#include <xsimd/xsimd.hpp>

#include "allocations.hpp"
#include "model/fused_product.hpp"
#include "smc/low_rank_step.hpp"

namespace rankflow::smc {
namespace {

using config::Activation;

template <class T>
using Numbers = std::vector<T, xsimd::aligned_allocator<T, 64>>;

template <class T>
Numbers<T> numbers(std::int64_t count, double scale) {
  Numbers<T> result(static_cast<std::size_t>(count));
  double phase = 0.3;
  for (T& each : result) each = static_cast<T>(scale * std::sin(phase += 1.7));
  return result;
}

/// `steps` steps of `particles` particles, in blocks.
template <class T>
struct Case {
  Case(Activation activation, std::int64_t neurons, std::int64_t states, std::int64_t rank, std::int64_t particles_,
       std::int64_t steps)
      : particles(particles_),
        m(numbers<T>(neurons * states, 1.0)),
        n(numbers<T>(neurons * rank, 1.0 / static_cast<double>(neurons))),
        bias(numbers<T>(neurons, 1.0)),
        m_adjoint(m),
        n_adjoint(n),
        bias_adjoint(bias),
        weights{activation, neurons, states, rank, m, n, bias} {
    const std::int64_t blocks = (particles + block_lanes - 1) / block_lanes;
    zeta = numbers<T>(blocks * steps * states * block_lanes, 1.0);
    zeta_adjoint = zeta;
    out = numbers<T>(blocks * steps * rank * block_lanes, 1.0);
    for (std::int64_t b = 0; b < blocks; ++b) {
      auto& block = records.emplace_back();
      for (std::int64_t t = 0; t < steps; ++t)
        block.push_back({&zeta[static_cast<std::size_t>((b * steps + t) * states * block_lanes)],
                         &out[static_cast<std::size_t>((b * steps + t) * rank * block_lanes)],
                         std::min(block_lanes, particles - b * block_lanes)});
    }
    items = static_cast<double>(neurons * particles * steps);
  }

  void forward() {
    alignas(64) T result[8 * block_lanes];
    for (const auto& block : records)
      for (const auto& r : block) {
        low_rank_step(weights, r.zeta, r.lanes, result);
        benchmark::DoNotOptimize(result[0]);
      }
  }
  void states() {
    for (const auto& block : records)
      for (const auto& r : block)
        low_rank_step_adjoint(weights, r.zeta, r.out_adjoint, r.lanes,
                              &zeta_adjoint[static_cast<std::size_t>(r.zeta - zeta.data())]);
  }
  void weight_adjoints() {
    for (const auto& block : records) low_rank_weight_adjoints<T>(weights, block, {m_adjoint, n_adjoint, bias_adjoint});
  }

  std::int64_t particles;
  Numbers<T> m, n, bias, m_adjoint, n_adjoint, bias_adjoint, zeta, out, zeta_adjoint;
  StepWeights<T> weights;
  std::vector<std::vector<StepRecord<T>>> records;
  double items = 0;
};

benchmark::Counter per_second(double amount) {
  return {amount, benchmark::Counter::kIsIterationInvariantRate};
}

enum class Part { forward, states, weights, both };

template <class T>
void bench(benchmark::State& state, Part part, Activation activation, std::int64_t inputs) {
  const std::int64_t rank = state.range(1);
  Case<T> work(activation, state.range(0), rank + inputs, rank, state.range(2), state.range(3));
  const auto states = static_cast<double>(rank + inputs), outputs = static_cast<double>(rank);
  const bool both = part == Part::both;
  double products = 0;
  if (both || part == Part::forward) products += states + outputs;
  if (both || part == Part::states) products += 2 * states + outputs;
  if (both || part == Part::weights) products += 2 * states + 2 * outputs;
  const std::int64_t before = bench::allocations();
  for (auto _ : state) {
    if (both || part == Part::forward) work.forward();
    if (both || part == Part::states) work.states();
    if (both || part == Part::weights) work.weight_adjoints();
    benchmark::ClobberMemory();
  }
  state.counters["allocations"] = static_cast<double>(bench::allocations() - before);
  state.counters["fma/s"] = per_second(work.items * products);
  state.counters["per_item"] =
      benchmark::Counter(work.items, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// Fused multiply-adds on registers: their largest rate on this core.
template <class T>
void bench_fma_peak(benchmark::State& state) {
  using B = xsimd::batch<T>;
  constexpr int chains = 12, rounds = 1000;
  B sums[chains];
  for (auto& sum : sums) sum = B(T(0));
  B factor(T(0.5));
  benchmark::DoNotOptimize(factor);
  for (auto _ : state) {
    for (int k = 0; k < rounds; ++k)
      for (auto& sum : sums) sum = model::fused(sum, factor, factor);
    for (auto& sum : sums) benchmark::DoNotOptimize(sum);
  }
  state.counters["fma/s"] = per_second(static_cast<double>(chains * rounds) * static_cast<double>(B::size));
}

/// A benchmark name/N/R/particles/steps.
template <class T>
benchmark::internal::Benchmark* add(const char* name, Part part, Activation activation, std::int64_t inputs = 0) {
  return benchmark::RegisterBenchmark(name,
                                      [=](benchmark::State& state) { bench<T>(state, part, activation, inputs); });
}

const bool registered = [] {
  const auto clipped = Activation::clipped_relu;
  const auto eeg = [](benchmark::internal::Benchmark* b) { b->ArgsProduct({{512}, {3}, {96, 100, 128}, {50}}); };
  benchmark::RegisterBenchmark("fma_peak/float", bench_fma_peak<float>);
  benchmark::RegisterBenchmark("fma_peak/double", bench_fma_peak<double>);
  add<float>("forward", Part::forward, clipped)->Apply(eeg);
  add<float>("states", Part::states, clipped)->Apply(eeg);
  add<float>("weights", Part::weights, clipped)->Apply(eeg);
  add<float>("both", Part::both, clipped)->Apply(eeg)->ArgsProduct({{512}, {1, 2, 4, 5}, {128}, {50}});
  add<float>("both_neurons", Part::both, clipped)->ArgsProduct({{128, 2048, 8192, 100000}, {3}, {128}, {50}});
  add<float>("both_two_inputs", Part::both, clipped, 2)->Apply(eeg);
  add<float>("both_tanh", Part::both, Activation::tanh)->Apply(eeg);
  add<double>("both_double", Part::both, clipped)->Apply(eeg);
  return true;
}();

}  // namespace
}  // namespace rankflow::smc
