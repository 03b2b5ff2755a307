// Time of what trains and samples flows of connectivity, at any rank count, in the setting of peers/flow_torch.py:
//   bench_flow_epochs [--samples 1000] [--trials 240] [--warm 150] [--repeat 30] [--drawn 20000]
// Prints one line of JSON: seconds of an epoch of the flow of m and of the conditional flow of n, by stage, least and
// median of the slowest rank, of the clock and of processor time; the ridge's residual; samples per second; and the
// processor's and the matrix product's speed, measured in the same process.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "connectivity/ridge.hpp"
#include "flow/dense_kernel.hpp"
#include "flow/sampling.hpp"
#include "flow/training.hpp"
#include "nn/gemm.hpp"
#include "parallel/communicator.hpp"
#include "parallel/draws.hpp"

namespace rankflow {
namespace {

struct FlowSizes {
  std::int64_t samples = 1000, trials = 240, warm = 150, repeat = 30, drawn = 20000;
};

FlowSizes read_sizes(int argc, char** argv) {
  FlowSizes sizes;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::int64_t value = std::atoll(argv[i + 1]);
    for (const auto& [key, place] : {std::pair{"--samples", &sizes.samples},
                                     {"--trials", &sizes.trials},
                                     {"--warm", &sizes.warm},
                                     {"--repeat", &sizes.repeat},
                                     {"--drawn", &sizes.drawn}})
      if (name == key) *place = value;
  }
  return sizes;
}

/// Seconds of the clock and of this process.
struct Seconds {
  double clock = 0;
  double processor = 0;
};

Seconds now() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  const auto clock = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double>(clock).count(),
          static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec)};
}

/// Times of a stage, of the slowest rank.
class Stage {
 public:
  template <class Action>
  void time(const parallel::Communicator& comm, const Action& action) {
    comm.barrier();
    const auto before = now();
    action();
    const auto after = now();
    std::vector<double> slowest{after.clock - before.clock, after.processor - before.processor};
    comm.maximum(std::span<double>(slowest));
    clock_.push_back(slowest[0]);
    processor_.push_back(slowest[1]);
  }
  std::string json(const char* name) const {
    return fmt::format("\"{0}_min\": {1:.7f}, \"{0}_median\": {2:.7f}, \"{0}_cpu_min\": {3:.7f}", name,
                       quantile(clock_, 0), quantile(clock_, 0.5), quantile(processor_, 0));
  }
  double least() const { return quantile(processor_, 0); }

 private:
  static double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  }
  std::vector<double> clock_, processor_;
};

/// The quadstable network of Kim et al. (2026): four populations, phi = tanh.
struct Quadstable {
  static constexpr double alpha = 0.1;
  static constexpr std::size_t neurons = 1000;
  std::vector<double> m, n;

  Quadstable() : m(2 * neurons), n(2 * neurons) {
    std::vector<double> noise(4 * neurons);
    parallel::normal<double>(parallel::Stream(1, parallel::Purpose::test), {}, 0, noise);
    for (std::size_t i = 0; i < 2 * neurons; ++i) {
      const double sign = (i / 2 >> (i % 2)) % 2 == 0 ? 1.0 : -1.0;
      m[i] = 0.87 * sign + 0.5 * noise[i];
      n[i] = 2.31 * sign + 0.5 * noise[2 * neurons + i];
    }
  }

  /// 100 steps from each point of a grid of 20 x 20, the first `trials` of them.
  std::vector<double> latents(std::int64_t trials) const {
    std::vector<double> all;
    for (std::int64_t trial = 0; trial < trials; ++trial) {
      double x = -2.4 + 4.8 * static_cast<double>(trial % 20) / 19;
      double y = -2.4 + 4.8 * static_cast<double>(trial / 20 % 20) / 19;
      for (int step = 0; step < 100; ++step) {
        all.insert(all.end(), {x, y});
        double drive_x = 0;
        double drive_y = 0;
        for (std::size_t i = 0; i < neurons; ++i) {
          const double rate = std::tanh(m[2 * i] * x + m[2 * i + 1] * y);
          drive_x += n[2 * i] * rate;
          drive_y += n[2 * i + 1] * rate;
        }
        x += alpha * (drive_x / neurons - x);
        y += alpha * (drive_y / neurons - y);
      }
    }
    return all;
  }
};

/// Rows of all ranks, one after the other.
std::vector<double> gathered(const parallel::Communicator& comm, const std::vector<double>& mine) {
  const auto counts = comm.all_gather(static_cast<std::int64_t>(mine.size()));
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  comm.all_gather(std::span<const double>(mine), std::span<double>(all), counts);
  return all;
}

std::vector<double> rows_of_neurons(const model::NeuronArray<double>& array, std::int64_t count) {
  std::vector<double> rows;
  for (std::int64_t i = 0; i < count; ++i)
    for (int c = 0; c < array.columns(); ++c) rows.push_back(array.at(i, c));
  return rows;
}

/// Best of some repetitions, in billions of operations per second.
template <class Action>
double best_speed(double operations, const Action& action) {
  double least = 1e9;
  for (int i = 0; i < 200; ++i) {
    const auto before = now();
    action();
    least = std::min(least, now().clock - before.clock);
  }
  return operations / least / 1e9;
}

double fused_product_speed() {
  using Batch = xsimd::batch<float>;
  constexpr int chains = 12;
  constexpr int length = 20000;
  std::array<Batch, chains> sums;
  sums.fill(Batch(1.0F));
  Batch factor(0.999F);
  const double speed = best_speed(2.0 * chains * length * Batch::size, [&] {
    auto registers = sums;  // what is captured stays in memory
    for (int k = 0; k < length; ++k)
      for (auto& sum : registers) sum = model::fused(sum, factor, factor);
    sums = registers;
  });
  float total = 0;
  for (const auto& sum : sums) total += xsimd::hadd(sum);
  return total == 0 ? 0 : speed;
}

/// Eigen's product of 512 rows with weights of 128 x 128.
double matrix_product_speed() {
  std::vector<float> a(512 * 128, 0.5F), b(128 * 128, 0.25F), c(512 * 128, 0.0F);
  return best_speed(2.0 * 512 * 128 * 128, [&] {
    nn::add_product<float>({a.data(), 512, 128, 128}, {b.data(), 128, 128, 128}, {c.data(), 512, 128, 128});
  });
}

void run(const FlowSizes& sizes, const parallel::Communicator& comm) {
  const config::FlowSamplerOptions midpoint{.method = config::FlowIntegrator::midpoint, .steps = 20};
  const Quadstable network;
  config::FlowTrainingOptions options;

  auto m_flow = flow::make_flow({}, 2, 0, 1);
  flow::FlowTraining m_training(m_flow, options, 1, sizes.warm);
  Stage m_epoch;
  std::int64_t epoch = 0;
  m_training.epoch(comm, {network.m, {}}, epoch++);
  const auto allocated = bench::allocations();
  for (; epoch < sizes.warm; ++epoch) m_epoch.time(comm, [&] { m_training.epoch(comm, {network.m, {}}, epoch); });
  const auto per_epoch = (bench::allocations() - allocated) / std::max<std::int64_t>(sizes.warm - 1, 1);
  m_flow.parameters = m_training.parameters();

  const auto latents = network.latents(sizes.trials);
  const auto states = connectivity::visited_states(
      {.trials = sizes.trials, .steps = 100, .rank = 2, .inputs = 0, .latents = latents, .signals = {}, .mask = {}},
      Quadstable::alpha);
  connectivity::RidgeOptions ridge;
  ridge.penalty = 1e-4 * static_cast<double>(sizes.samples) /
                  (Quadstable::alpha * Quadstable::alpha * static_cast<double>(states.rows));
  ridge.certificate_features = 1'000'000;
  connectivity::RidgeSolver solver(states, ridge);

  const auto n_flow = flow::make_flow({}, 2, 2, 2);
  options.batch = sizes.samples;
  flow::FlowTraining n_training(n_flow, options, 1, sizes.repeat);
  const parallel::Partition partition(sizes.samples, comm.size(), comm.rank());
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(sizes.samples));
  std::iota(chosen.begin(), chosen.end(), std::int64_t{0});
  Stage sampling, solving, network_step, n_epoch;
  double residual = 0;
  std::int64_t functions = 0;
  for (std::int64_t i = 0; i <= sizes.repeat; ++i) {
    std::vector<double> m, n;
    const auto draw = [&] {
      m = flow::sample(m_flow, midpoint,
                       parallel::Stream(1, parallel::Purpose::flow_sample, static_cast<std::uint64_t>(i)),
                       partition.begin(), partition.count());
    };
    const auto solve = [&] {
      const auto loadings = connectivity::loadings_from_rows(partition, model::Activation::tanh, 2, 0, false, m);
      const auto solution = solver.solve(loadings, comm);
      residual = solution.certificate.residual;
      functions = solution.functions;
      n = gathered(comm, rows_of_neurons(solution.n, partition.count()));
      m = gathered(comm, m);
    };
    const auto step = [&] { n_training.step(comm, {n, m}, chosen); };
    if (i == 0) {  // builds the basis
      draw();
      solve();
      step();
      continue;
    }
    n_epoch.time(comm, [&] {
      sampling.time(comm, draw);
      solving.time(comm, solve);
      network_step.time(comm, step);
    });
  }

  const parallel::Partition many(sizes.drawn, comm.size(), comm.rank());
  Stage drawing;
  for (int i = 0; i < 3; ++i)
    drawing.time(comm, [&] {
      flow::sample(m_flow, midpoint, parallel::Stream(2, parallel::Purpose::flow_sample), many.begin(), many.count());
    });
  // Hidden layers' products: 40 evaluations of 3 x 128 x 128.
  const double sampling_speed = static_cast<double>(many.count()) * 40 * 3 * 2 * 128 * 128 / drawing.least() / 1e9;
  const double peak = fused_product_speed();
  const double product = matrix_product_speed();
  if (!comm.is_root()) return;
  fmt::print(
      "{{\"ranks\": {}, {}, \"m_allocations\": {}, {}, {}, {}, {}, \"ridge_residual\": {:.3g}, "
      "\"ridge_functions\": {}, {}, \"samples_per_cpu_second\": {:.0f}, \"sampling_gflops\": {:.1f}, "
      "\"fused_product_gflops\": {:.1f}, \"eigen_gflops\": {:.1f}}}\n",
      comm.size(), m_epoch.json("m_epoch"), per_epoch, n_epoch.json("n_epoch"), sampling.json("n_sampling"),
      solving.json("n_solving"), network_step.json("n_network"), residual, functions, drawing.json("drawing"),
      static_cast<double>(many.count()) / drawing.least(), sampling_speed, peak, product);
}

}  // namespace
}  // namespace rankflow

int main(int argc, char** argv) {
  rankflow::parallel::Environment environment(argc, argv);
  const auto world = environment.world();
  rankflow::run(rankflow::read_sizes(argc, argv), world);
  return 0;
}
