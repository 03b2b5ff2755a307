// Time of one gradient step of variational SMC, at any rank count, in the setting of peers/vsmc_torch.py:
//   bench_vsmc_step [--neurons 512] [--rank 3] [--channels 64] [--particles 10] [--trials 10] [--steps 50] [--repeat
//   20]
// Prints one line of JSON: seconds of a step (least and median of the slowest rank), ns per neuron, particle and step,
// allocations of a step, and the peak memory of rank 0.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "nn/optimiser.hpp"
#include "parallel/communicator.hpp"
#include "parallel/draws.hpp"
#include "smc/particle_filter.hpp"

namespace rankflow {
namespace {

struct Sizes {
  std::int64_t neurons = 512, rank = 3, channels = 64, particles = 10, trials = 10, steps = 50, repeat = 20;
};

Sizes read_sizes(int argc, char** argv) {
  Sizes sizes;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::int64_t value = std::atoll(argv[i + 1]);
    for (const auto& [key, place] : {std::pair{"--neurons", &sizes.neurons},
                                     {"--rank", &sizes.rank},
                                     {"--channels", &sizes.channels},
                                     {"--particles", &sizes.particles},
                                     {"--trials", &sizes.trials},
                                     {"--steps", &sizes.steps},
                                     {"--repeat", &sizes.repeat}})
      if (name == key) *place = value;
  }
  return sizes;
}

/// Slow components seen through random weights: what matters is the size.
std::vector<double> observations(const Sizes& sizes) {
  std::vector<double> x(static_cast<std::size_t>(sizes.trials * sizes.steps * sizes.channels));
  parallel::normal<double>(parallel::Stream(1, parallel::Purpose::test), {}, 0, x);
  return x;
}

void report(const Sizes& sizes, std::vector<double> seconds, std::int64_t allocations, double log_likelihood,
            int ranks) {
  std::sort(seconds.begin(), seconds.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double items = static_cast<double>(sizes.neurons * sizes.particles * sizes.trials * sizes.steps);
  std::printf(
      "{\"ranks\": %d, \"seconds_min\": %.6f, \"seconds_median\": %.6f, \"ns_per_item\": %.4f, "
      "\"allocations\": %lld, \"peak_mb\": %.1f, \"log_likelihood_per_step\": %.6f}\n",
      ranks, seconds.front(), seconds[seconds.size() / 2], 1e9 * seconds.front() / items,
      static_cast<long long>(allocations), static_cast<double>(usage.ru_maxrss) / 1024,
      log_likelihood / static_cast<double>(sizes.trials * sizes.steps));
}

void run(const Sizes& sizes, const parallel::Communicator& comm) {
  config::LatentModelOptions options;
  options.network.neurons = sizes.neurons;
  options.network.rank = sizes.rank;
  const smc::LatentModel model(options, sizes.channels, 0);
  auto parameters = model.initial_parameters(1);
  const auto x = observations(sizes);
  smc::ParticleFilter<float> filter(model, {.particles = sizes.particles}, comm, sizes.trials, sizes.steps);
  config::OptimiserOptions optimiser_options;
  optimiser_options.kind = config::OptimiserKind::radam;
  nn::Optimiser optimiser(optimiser_options, model.layout().total(), model.layout().trainable_ranges());
  std::vector<double> seconds;
  std::int64_t allocations = 0;
  double log_likelihood = 0;
  for (std::int64_t i = 0; i < sizes.repeat; ++i) {
    comm.barrier();
    const auto start = std::chrono::steady_clock::now();
    const auto before = bench::allocations();
    const auto gradient = filter.gradient(
        parameters, {.trials = sizes.trials, .times = sizes.steps, .observations = x, .inputs = {}, .guides = {}},
        {.seed = 1, .iteration = static_cast<std::uint64_t>(i)},
        -1.0 / static_cast<double>(sizes.trials * sizes.steps));
    log_likelihood = gradient.result.total();
    optimiser.step(parameters, gradient.parameters, 1e-9);  // the time of a step, not its effect
    allocations = bench::allocations() - before;
    double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    comm.maximum(std::span<double>(&elapsed, 1));
    if (i > 0 || sizes.repeat == 1) seconds.push_back(elapsed);
  }
  if (comm.is_root()) report(sizes, seconds, allocations, log_likelihood, comm.size());
}

}  // namespace
}  // namespace rankflow

int main(int argc, char** argv) {
  rankflow::parallel::Environment environment(argc, argv);
  rankflow::run(rankflow::read_sizes(argc, argv), environment.world());
}
