// Ridge solution for many neurons: seconds and memory, on one or several ranks.
//   bench_connectivity_ridge NEURONS [TOLERANCE [EPOCHS]]
// The visited states are those of the published ring attractor's grid of starts (240 trials of 100 steps), by a network
// of 1000 neurons. EPOCHS > 0 solves for that many fresh samples of neurons on one basis, as training a flow does.
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "connectivity/posterior.hpp"
#include "connectivity/ridge.hpp"
#include "connectivity/ridge_forms.hpp"
#include "parallel/draws.hpp"

namespace {

using namespace rankflow;
using namespace rankflow::connectivity;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Loadings sample(std::int64_t neurons, std::uint64_t seed, const parallel::Communicator& comm) {
  const parallel::Partition partition(neurons, comm.size(), comm.rank());
  auto loadings = make_loadings(partition, model::Activation::tanh, 2, 0, false);
  const parallel::Stream stream(seed, parallel::Purpose::test);
  for (std::int64_t tile = 0; tile < partition.tiles(); ++tile)
    for (int r = 0; r < 2; ++r)
      parallel::normal(stream, {.index = static_cast<std::uint32_t>(r)},
                       static_cast<std::uint64_t>(partition.tile_begin(tile)),
                       std::span(loadings.m.tile(tile, r), static_cast<std::size_t>(partition.tile_count(tile))));
  return loadings;
}

VisitedStates ring_states() {
  constexpr std::int64_t trials = 240;
  constexpr std::int64_t steps = 100;
  constexpr double alpha = 0.1;
  const parallel::Communicator alone;
  const auto network = sample(1000, 1, alone);
  model::NeuronArray<double> n(network.partition, 2);
  for (std::size_t k = 0; k < n.size(); ++k) n.values()[k] = 1.6 * network.m.values()[k];
  std::vector<double> z(2 * trials);
  for (std::size_t k = 0; k < trials; ++k) {
    z[2 * k] = -2.4 + 4.8 * static_cast<double>(k % 20) / 19.0;
    z[2 * k + 1] = -2.4 + 4.8 * static_cast<double>(k / 20) / 11.0;
  }
  std::vector<double> latents(2 * trials * steps);
  for (std::size_t t = 0; t < steps; ++t) {
    const auto drive = drive_of(network, n, {trials, z.data(), nullptr}, alone);
    for (std::size_t k = 0; k < trials; ++k)
      for (std::size_t r = 0; r < 2; ++r) {
        double& value = z[2 * k + r];
        latents[(k * steps + t) * 2 + r] = value;
        value += alpha * (drive(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(r)) - value);
      }
  }
  return visited_states(
      {.trials = trials, .steps = steps, .rank = 2, .inputs = 0, .latents = latents, .signals = {}, .mask = {}}, alpha);
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void report(std::int64_t neurons, double tolerance, std::int64_t epochs, const parallel::Communicator& comm) {
  const auto states = ring_states();
  const auto loadings = sample(neurons, 2, comm);
  RidgeOptions options;
  options.penalty = 4e-4;
  options.tolerance = tolerance;
  options.form = RidgeForm::reduced;
  options.certificate_features = epochs > 0 ? 64 * neurons : options.certificate_features;
  RidgeSolver solver(states, options);
  const double start = seconds();
  // A basis that serves many samples sees more neurons than one of them has.
  const auto& basis = epochs > 0 ? solver.basis(sample(20 * neurons, 3, comm), comm) : solver.basis(loadings, comm);
  const double built = seconds();
  const auto solution = solver.solve(loadings, comm);
  const double solved = seconds();
  if (comm.is_root())
    fmt::print(
        "N = {}, T = {}, {} ranks: basis {:.2f} s (error {:.1e}), first solution {:.3f} s with {} functions; residual "
        "{:.1e} ({}), misfit {:.2e}; {:.0f} MB on rank 0\n",
        neurons, states.rows, comm.size(), built - start, basis.error(), solved - built, solution.functions,
        solution.certificate.residual, solution.certificate.sampled ? "bound" : "whole", solution.relative_misfit,
        peak_megabytes());
  double in_solve = 0.0;
  double fastest = 1e9;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    const auto fresh = sample(neurons, static_cast<std::uint64_t>(10 + epoch), comm);
    const double before = seconds();
    solver.solve(fresh, comm);
    in_solve += seconds() - before;
    fastest = std::min(fastest, seconds() - before);
  }
  if (comm.is_root() && epochs > 0)
    fmt::print("{} samples of {} fresh neurons: {:.2f} ms each (fastest {:.2f}), {} bases built in all\n", epochs,
               neurons, 1e3 * in_solve / static_cast<double>(epochs), 1e3 * fastest, solver.bases_built());
}

}  // namespace

int main(int argc, char** argv) {
  const parallel::Environment environment(argc, argv);
  const auto world = environment.world();
  report(argc > 1 ? std::atoll(argv[1]) : 100000, argc > 2 ? std::atof(argv[2]) : 1e-5,
         argc > 3 ? std::atoll(argv[3]) : 0, world);
  return 0;
}
