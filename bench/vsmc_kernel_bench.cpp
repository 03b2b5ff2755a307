// Time of the low-rank step over blocks of particles, in ns per neuron, particle and step ("per_item"), in the setting
// of the published EEG fits: N = 512, R = 3, clipped ReLU, 50 steps, one core. 96 particles are two blocks.
//   forward   all steps;
//   states    their adjoints with respect to the states;
//   weights   the adjoints of the weights, all steps at once;
//   apart     these three: a gradient of a network or a number of particles too large for the next;
//   gradient  forward and StepAdjoints, which choose ("at_once"), as the filter does.
// "fma/s": fused multiply-adds of the matrix products alone, to compare with fma_peak, what this core can do; the
// activation and its slopes come on top: for clipped ReLU at R = 3, 27 products of 45 vector
// instructions apart, 21 of 34 at once.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>
#include <xsimd/xsimd.hpp>

#include "allocations.hpp"
#include "model/fused_product.hpp"
#include "smc/low_rank_step.hpp"
#include "smc/low_rank_step_adjoints.hpp"

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
        adjoints(neurons, states, rank, (particles + block_lanes - 1) / block_lanes, steps),
        weights(StepWeights<T>{activation, neurons, states, rank, m, n, bias}) {
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

  void both_adjoints() {
    for (std::size_t b = 0; b < records.size(); ++b) {
      const auto block = static_cast<std::int64_t>(b);
      for (const auto& r : records[b])
        adjoints.add(weights, block, r, &zeta_adjoint[static_cast<std::size_t>(r.zeta - zeta.data())]);
      adjoints.finish(weights, block, {m_adjoint, n_adjoint, bias_adjoint});
    }
  }

  std::int64_t particles;
  Numbers<T> m, n, bias, m_adjoint, n_adjoint, bias_adjoint, zeta, out, zeta_adjoint;
  StepAdjoints<T> adjoints;
  PreparedStep<T> weights;
  std::vector<std::vector<StepRecord<T>>> records;
  double items = 0;
};

benchmark::Counter per_second(double amount) {
  return {amount, benchmark::Counter::kIsIterationInvariantRate};
}

enum class Part { forward, states, weights, apart, gradient };

template <class T>
void bench(benchmark::State& state, Part part, Activation activation, std::int64_t inputs) {
  const std::int64_t rank = state.range(1);
  Case<T> work(activation, state.range(0), rank + inputs, rank, state.range(2), state.range(3));
  const auto does = [&](Part one) { return part == one || part == Part::apart; };
  const std::int64_t before = bench::allocations();
  for (auto _ : state) {
    if (does(Part::forward) || part == Part::gradient) work.forward();
    if (does(Part::states)) work.states();
    if (does(Part::weights)) work.weight_adjoints();
    if (part == Part::gradient) work.both_adjoints();
    benchmark::ClobberMemory();
  }
  state.counters["allocations"] = static_cast<double>(bench::allocations() - before);
  if (part == Part::gradient) state.counters["at_once"] = work.adjoints.at_once();
  const bool at_once = part == Part::gradient && work.adjoints.at_once();
  const auto q = static_cast<double>(rank + inputs), r = static_cast<double>(rank);
  double products = 0;
  if (does(Part::forward) || part == Part::gradient) products += q + r;
  if (does(Part::states) || part == Part::gradient) products += 2 * q + r;
  if (does(Part::weights) || part == Part::gradient) products += at_once ? q + r : 2 * (q + r);
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
  add<float>("apart", Part::apart, clipped)->Apply(eeg);
  add<float>("gradient", Part::gradient, clipped)
      ->Apply(eeg)
      ->ArgsProduct({{512}, {1, 2, 4, 5}, {128}, {50}})
      ->ArgsProduct({{128, 2048, 8192, 100000}, {3}, {128}, {50}})
      ->ArgsProduct({{512}, {3}, {256, 1024, 10000}, {50}});
  add<float>("two_inputs", Part::gradient, clipped, 2)->Apply(eeg);
  add<float>("tanh", Part::gradient, Activation::tanh)->Apply(eeg);
  add<float>("softplus", Part::gradient, Activation::softplus)->Apply(eeg);
  add<double>("double", Part::gradient, clipped)->Apply(eeg);
  return true;
}();

}  // namespace
}  // namespace rankflow::smc
