// Time per random number on one core ("per_item"). Limits: Philox4x32-10 alone takes about
// 60 vector instructions per 8 blocks with AVX-512, that is one cycle per 32 random bits; normals add a
// logarithm, a square root, a sine and a cosine per pair. "allocations" counts those of all calls: zero.
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "allocations.hpp"
#include "parallel/draws.hpp"

namespace rankflow::parallel {
namespace {

constexpr std::size_t cache_resident = 4096;

template <class T, class Fill>
void run(benchmark::State& state, Fill fill) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::vector<T> out(size);
  const Stream stream(1, Purpose::test);
  Draw draw;
  std::int64_t allocated = 0;
  for (auto _ : state) {
    const std::int64_t before = bench::allocations();
    ++draw.step;
    fill(stream, draw, std::span<T>(out));
    benchmark::ClobberMemory();
    allocated += bench::allocations() - before;
  }
  state.counters["allocations"] = static_cast<double>(allocated);
  state.counters["per_item"] = benchmark::Counter(
      static_cast<double>(size), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void bench_raw(benchmark::State& state) {
  run<std::uint32_t>(state, [](const Stream& s, Draw d, auto out) { raw(s, d, 0, out); });
}
void bench_below(benchmark::State& state) {
  run<std::uint64_t>(state, [](const Stream& s, Draw d, auto out) { below(s, d, 0, 1000, out); });
}
template <class T>
void bench_uniform(benchmark::State& state) {
  run<T>(state, [](const Stream& s, Draw d, auto out) { uniform(s, d, 0, out); });
}
template <class T>
void bench_normal(benchmark::State& state) {
  run<T>(state, [](const Stream& s, Draw d, auto out) { normal(s, d, 0, out); });
}
template <class T>
void bench_exponential(benchmark::State& state) {
  run<T>(state, [](const Stream& s, Draw d, auto out) { exponential(s, d, 0, out); });
}
void bench_gamma(benchmark::State& state) {
  run<double>(state, [](const Stream& s, Draw d, auto out) { gamma(s, d, 0, 1.5, out); });
}
/// The second argument is a thousand times the mean.
void bench_poisson(benchmark::State& state) {
  const std::vector<double> means(static_cast<std::size_t>(state.range(0)),
                                  static_cast<double>(state.range(1)) / 1000.0);
  run<std::int64_t>(state, [&](const Stream& s, Draw d, auto out) { poisson<double>(s, d, 0, means, out); });
}
/// What the standard library offers, to compare with.
void bench_standard_normal_distribution(benchmark::State& state) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> distribution;
  run<double>(state, [&](const Stream&, Draw, auto out) {
    for (double& x : out) x = distribution(engine);
  });
}

BENCHMARK(bench_raw)->Arg(cache_resident);
BENCHMARK(bench_below)->Arg(cache_resident);
BENCHMARK(bench_uniform<float>)->Arg(cache_resident);
BENCHMARK(bench_uniform<double>)->Arg(cache_resident);
BENCHMARK(bench_normal<float>)->Arg(cache_resident)->Arg(1000003);
BENCHMARK(bench_normal<double>)->Arg(cache_resident)->Arg(1000003);
BENCHMARK(bench_exponential<float>)->Arg(cache_resident);
BENCHMARK(bench_exponential<double>)->Arg(cache_resident);
BENCHMARK(bench_gamma)->Arg(cache_resident);
BENCHMARK(bench_poisson)->Args({cache_resident, 5})->Args({cache_resident, 3000})->Args({cache_resident, 80000});
BENCHMARK(bench_standard_normal_distribution)->Arg(cache_resident);

}  // namespace
}  // namespace rankflow::parallel
