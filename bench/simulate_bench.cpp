// Cost of one step in ns per neuron ("per_neuron"), through the engines, and in the same run the limits of this
// machine:
//   memory   bytes of the arrays a step reads and writes / bandwidth of plain streams (as many as the step has, of the
//            same total size, so that they lie in the same caches);
//   tanh     the activation alone over numbers in the first-level cache;
//   normal   the random numbers alone.
// run.py divides one by the other. Steps allocate nothing: "allocations" counts all calls of operator new in the
// loop.
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <xsimd/xsimd.hpp>

#include "allocations.hpp"
#include "config/load.hpp"
#include "model/bulk.hpp"
#include "model/fast_tanh.hpp"
#include "parallel/draws.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/assembly.hpp"
#include "simulate/latent_step_engine.hpp"
#include "simulate/neuron_step_engine.hpp"

namespace rankflow::simulate {
namespace {

benchmark::Counter per_item(double items) {
  return {items, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert};
}
benchmark::Counter rate(double amount) {
  return {amount, benchmark::Counter::kIsIterationInvariantRate};
}

/// One iteration per recorded row, that is per step. Ends the run by an exception.
class Stepper final : public RowSink {
 public:
  struct Done {};

  explicit Stepper(benchmark::State& state) : state_(state) {}
  std::int64_t rows_per_block(int) const override { return rows; }
  void open_block(int, int, std::int64_t) override {}
  void record(std::int64_t row, const StateView&) override {
    if (row == 0) first_ = bench::allocations();
    const std::int64_t now = bench::allocations();
    if (state_.KeepRunning()) return;
    state_.counters["allocations"] = static_cast<double>(now - first_);
    throw Done{};
  }
  void close_block() override {}

  static constexpr std::int64_t rows = 1 << 20;

 private:
  benchmark::State& state_;
  std::int64_t first_ = 0;
};

/// Independent Gaussian m and n with an overlap that keeps activity alive; values are drawn in place.
template <class T>
model::Network<T> gaussian_network(std::int64_t neurons, int rank) {
  model::Network<T> network;
  network.partition = parallel::Partition(neurons, 1, 0);
  network.rank = rank;
  network.m = model::NeuronArray<T>(network.partition, rank);
  network.n = model::NeuronArray<T>(network.partition, rank);
  const parallel::Stream stream(1, parallel::Purpose::test);
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
    const auto count = static_cast<std::size_t>(network.partition.tile_count(tile));
    const auto first = static_cast<std::uint64_t>(network.partition.tile_begin(tile));
    for (int r = 0; r < rank; ++r) {
      const auto column = static_cast<std::uint32_t>(r);
      T* m = network.m.tile(tile, r);
      T* n = network.n.tile(tile, r);
      parallel::normal<T>(stream, {.trial = 0, .step = column}, first, std::span<T>(m, count));
      parallel::normal<T>(stream, {.trial = 1, .step = column}, first, std::span<T>(n, count));
      for (std::size_t i = 0; i < count; ++i) n[i] += T(2) * m[i];
    }
  }
  return network;
}

FixedStepEngine::Setup setup_of(int rank, std::int64_t trials) {
  FixedStepEngine::Setup setup{.step = 1e-3, .row_times = {}, .trials = trials, .rank = rank, .stop = {}};
  for (std::int64_t row = 0; row < Stepper::rows; ++row)
    setup.row_times.push_back(setup.step * static_cast<double>(row));
  return setup;
}

InitialState initial_of(int rank, std::int64_t trials) {
  return {.latent = std::vector<double>(static_cast<std::size_t>(trials * rank), 0.5), .potential_std = 0, .seed = 1};
}

/// `bytes`: what a step reads and writes per neuron.
void run_steps(benchmark::State& state, Engine& engine, double neurons, double trials, double bytes) {
  const parallel::Communicator comm;
  parallel::HaltMonitor halt(comm, {});
  Stepper stepper(state);
  try {
    engine.run(stepper, halt);
    state.SkipWithError("more steps asked for than rows prepared");
  } catch (const Stepper::Done&) {
    state.counters["per_neuron"] = per_item(neurons * trials);
    state.counters["bytes/s"] = rate(bytes * neurons);
  }
}

struct Case {
  std::int64_t neurons;
  int rank;
  std::int64_t trials = 1;
  double noise = 0.0;
  config::BulkOptions bulk = {};
};

template <class T>
void neuron_step(benchmark::State& state, const Case& c) {
  const auto network = gaussian_network<T>(c.neurons, c.rank);
  const parallel::Communicator comm;
  NeuronStepEngine<T> engine(setup_of(c.rank, c.trials), network, model::make_bulk(c.bulk, network.partition, comm, 1),
                             model::Inputs({}, c.trials, 1e-3, 0, 1), initial_of(c.rank, c.trials),
                             typename NeuronStepEngine<T>::Physics{.method = config::Method::euler,
                                                                   .neuron_noise = c.noise,
                                                                   .latent_noise = LatentNoise({}, c.rank, 1),
                                                                   .seed = 1},
                             comm);
  const double trials = static_cast<double>(c.trials);
  run_steps(state, engine, static_cast<double>(c.neurons), trials, (2.0 * c.rank + 2.0 * trials) * sizeof(T));
}

template <class T>
void latent_step(benchmark::State& state, const Case& c) {
  const auto network = gaussian_network<T>(c.neurons, c.rank);
  const parallel::Communicator comm;
  LatentStepEngine<T> engine(setup_of(c.rank, c.trials), network, model::Inputs({}, c.trials, 1e-3, 0, 1),
                             initial_of(c.rank, c.trials), LatentNoise({}, c.rank, 1),
                             step_coefficients(config::Method::euler, 1e-3, 0.1, 1.0, {}), comm);
  run_steps(state, engine, static_cast<double>(c.neurons), static_cast<double>(c.trials), 2.0 * c.rank * sizeof(T));
}

/// Plain streams as a step has them: `reads` arrays that are read, and one read and written when `updated`.
template <class T>
void streams(benchmark::State& state, std::int64_t length, int reads, bool updated) {
  using B = xsimd::batch<T>;
  const parallel::Partition partition(length, 1, 0);
  std::vector<model::NeuronArray<T>> arrays;
  for (int k = 0; k < reads + (updated ? 1 : 0); ++k) arrays.emplace_back(partition, 1);
  std::vector<const T*> from;
  for (int k = 0; k < reads; ++k) from.push_back(arrays[static_cast<std::size_t>(k)].tile(0, 0));
  T* x = updated ? arrays.back().tile(0, 0) : nullptr;
  const auto end = static_cast<std::int64_t>(partition.padded_count());
  for (auto _ : state) {
    B total(T(0));
    for (std::int64_t i = 0; i < end; i += static_cast<std::int64_t>(B::size)) {
      B sum = B::load_aligned(from[0] + i);
      for (int k = 1; k < reads; ++k) sum += B::load_aligned(from[static_cast<std::size_t>(k)] + i);
      if (updated) (sum + B::load_aligned(x + i)).store_aligned(x + i);
      total += sum;
    }
    benchmark::DoNotOptimize(total);
    benchmark::ClobberMemory();
  }
  const double items = static_cast<double>(length);
  state.counters["per_neuron"] = per_item(items);
  state.counters["bytes/s"] = rate(items * (reads + (updated ? 2.0 : 0.0)) * sizeof(T));
}

/// a = b + s c (McCalpin's STREAM), 24 bytes per item: the cache line of `a` that is read first is not counted.
void triad(benchmark::State& state, std::int64_t length) {
  using B = xsimd::batch<double>;
  const parallel::Partition partition(length, 1, 0);
  model::NeuronArray<double> a(partition, 1), b(partition, 1), c(partition, 1);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < partition.padded_count(); i += static_cast<std::int64_t>(B::size))
      xsimd::fma(B(3.0), B::load_aligned(c.tile(0, 0) + i), B::load_aligned(b.tile(0, 0) + i))
          .store_aligned(a.tile(0, 0) + i);
    benchmark::ClobberMemory();
  }
  state.counters["per_neuron"] = per_item(static_cast<double>(length));
  state.counters["bytes/s"] = rate(24.0 * static_cast<double>(length));
}

template <class T, class F>
void map_in_cache(benchmark::State& state, F f) {
  using B = xsimd::batch<T>;
  constexpr std::size_t size = 512;
  alignas(64) std::array<T, size> x, y;
  parallel::normal<T>(parallel::Stream(1, parallel::Purpose::test), {}, 0, x);
  for (auto _ : state) {
    for (std::size_t i = 0; i < size; i += B::size) f(B::load_aligned(x.data() + i)).store_aligned(y.data() + i);
    benchmark::DoNotOptimize(y);
  }
  state.counters["per_neuron"] = per_item(size);
}

template <class T>
void normals(benchmark::State& state) {
  alignas(64) std::array<T, 512> x;
  const parallel::Stream stream(1, parallel::Purpose::test);
  parallel::Draw draw;
  for (auto _ : state) {
    ++draw.step;
    parallel::normal<T>(stream, draw, 0, x);
    benchmark::DoNotOptimize(x);
  }
  state.counters["per_neuron"] = per_item(512);
}

void sum_add(benchmark::State& state) {
  parallel::ReproducibleSum sum(4);
  std::array<double, 512> values;
  parallel::normal<double>(parallel::Stream(1, parallel::Purpose::test), {}, 0, values);
  for (auto _ : state) {
    for (std::size_t i = 0; i < values.size(); ++i) sum.add(i % 4, values[i]);
    benchmark::ClobberMemory();
  }
  state.counters["per_add"] = per_item(512);
}

void sum_reduce(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  parallel::ReproducibleSum sum(count);
  const parallel::Communicator comm;
  std::vector<double> values(count);
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) sum.add(i, -0.3);
    sum.reduce(comm, values);
  }
  state.counters["per_value"] = per_item(static_cast<double>(count));
}

template <class T>
void register_precision(const std::string& name) {
  using B = xsimd::batch<T>;
  benchmark::RegisterBenchmark(("tanh/" + name).c_str(),
                               [](auto& s) { map_in_cache<T>(s, [](const B& x) { return model::fast_tanh(x); }); });
  benchmark::RegisterBenchmark(("tanh_of_xsimd/" + name).c_str(),
                               [](auto& s) { map_in_cache<T>(s, [](const B& x) { return xsimd::tanh(x); }); });
  benchmark::RegisterBenchmark(("normal/" + name).c_str(), normals<T>);
  for (const std::int64_t n : {10000, 100000, 500000, 1000000, 10000000})
    for (const int r : {1, 2, 3, 5, 10}) {
      if (r != 2 && (n == 500000 || n == 10000000)) continue;
      const auto label = fmt::format("{}/{}/{}", name, n, r);
      benchmark::RegisterBenchmark(("neuron_limit/" + label).c_str(), [=](auto& s) { streams<T>(s, n, 2 * r, true); });
      benchmark::RegisterBenchmark(("neuron/" + label).c_str(), [=](auto& s) { neuron_step<T>(s, {n, r}); });
      benchmark::RegisterBenchmark(("latent_limit/" + label).c_str(), [=](auto& s) { streams<T>(s, n, 2 * r, false); });
      benchmark::RegisterBenchmark(("latent/" + label).c_str(), [=](auto& s) { latent_step<T>(s, {n, r}); });
      if (r != 2) continue;
      benchmark::RegisterBenchmark(("noisy/" + label).c_str(),
                                   [=](auto& s) { neuron_step<T>(s, {.neurons = n, .rank = r, .noise = 0.1}); });
    }
}

int register_all() {
  for (const std::int64_t n : {10000, 1000000, 20000000})
    benchmark::RegisterBenchmark(fmt::format("triad/{}", n).c_str(), [=](auto& s) { triad(s, n); });
  register_precision<double>("double");
  register_precision<float>("float");
  for (const std::int64_t trials : {1, 2, 4, 8, 16, 64}) {
    benchmark::RegisterBenchmark(fmt::format("neuron_trials/{}", trials).c_str(), [=](auto& s) {
      neuron_step<double>(s, {.neurons = 100000, .rank = 2, .trials = trials});
    });
    benchmark::RegisterBenchmark(fmt::format("latent_trials/{}", trials).c_str(), [=](auto& s) {
      latent_step<double>(s, {.neurons = 1000000, .rank = 2, .trials = trials});
    });
  }
  for (const auto kind : {config::BulkKind::sparse, config::BulkKind::procedural}) {
    const char* name = kind == config::BulkKind::sparse ? "sparse" : "procedural";
    config::BulkOptions bulk;
    bulk.kind = kind;
    bulk.gain = 0.8;
    bulk.in_degree = 100;
    benchmark::RegisterBenchmark(fmt::format("bulk/{}", name).c_str(),
                                 [=](auto& s) { neuron_step<double>(s, {.neurons = 10000, .rank = 2, .bulk = bulk}); });
  }
  benchmark::RegisterBenchmark("sum_add", sum_add);
  benchmark::RegisterBenchmark("sum_reduce", sum_reduce)->Arg(2)->Arg(200);
  return 0;
}

[[maybe_unused]] const int registered = register_all();

}  // namespace
}  // namespace rankflow::simulate
