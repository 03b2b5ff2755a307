#include <gtest/gtest.h>

#include "simulate/sundials_runs.hpp"

namespace rankflow::simulate {
namespace {

using config::Method;
using config::Space;
using test::Bench;
using test::Experiment;

struct Case {
  Method method;
  Space space;
  bool adaptive;
  bool bulk;
  std::int64_t neurons;
};

class RankCount : public testing::TestWithParam<Case> {
 protected:
  static Experiment make(std::uint64_t seed) {
    const Case& c = GetParam();
    Experiment setup{.recipe = {.neurons = c.neurons, .bias = true, .own_tau = c.space == Space::neuron, .seed = seed},
                     .row_times = test::times(6, 0.3)};
    setup.recipe.tau_minimum = 0.01;
    setup.potential_std = c.space == Space::neuron ? 0.2 : 0.0;
    auto& options = setup.options;
    options.time.duration = 0.3;
    options.time.step = 2e-3;
    options.time.trials = 2;
    options.integration.method = c.method;
    options.integration.space = c.space;
    options.integration.adaptive = c.adaptive;
    options.integration.restart_every = 0.1;
    options.inputs = {test::pulse(0.1, 0.16, 1.5)};
    options.stop = config::StopOptions{.latent = 1, .above = std::nullopt, .below = -0.15};
    if (c.bulk) {
      options.network.bulk.kind = config::BulkKind::procedural;
      options.network.bulk.gain = 0.8;
      options.network.bulk.in_degree = 5;
      options.integration.relative_tolerance = 1e-4;
    }
    return setup;
  }
};

/// What this rank holds of the potentials of one rank alone.
std::vector<double> share_of(const std::vector<double>& all, const parallel::Partition& partition) {
  return {all.begin() + partition.begin(), all.begin() + partition.end()};
}

TEST_P(RankCount, LeavesEveryBitAsOnOneRank) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  Bench together(make(5), world);
  ASSERT_TRUE(together.run());
  Bench alone(make(5));
  ASSERT_TRUE(alone.run());

  EXPECT_EQ(together.sink.latents, alone.sink.latents);
  ASSERT_EQ(together.sink.potentials.size(), alone.sink.potentials.size());
  for (const auto& [key, x] : alone.sink.potentials)
    EXPECT_EQ(together.sink.potentials.at(key), share_of(x, together.network.partition));
  const auto left = together.engine->counters(), right = alone.engine->counters();
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t k = 0; k < left.size(); ++k) EXPECT_EQ(left[k].values, right[k].values) << left[k].name;

  const auto stops = together.engine->stop_times(), expected_stops = alone.engine->stop_times();
  EXPECT_EQ(stops, expected_stops);
  for (const double stop : stops) EXPECT_LT(stop, 0.3) << "every trial crosses the threshold";

  Bench other(make(6));
  ASSERT_TRUE(other.run());
  EXPECT_NE(other.sink.latents, alone.sink.latents) << "control: another seed";
}

INSTANTIATE_TEST_SUITE_P(Engines, RankCount,
                         testing::Values(Case{Method::runge_kutta, Space::neuron, true, false, 2037},
                                         Case{Method::runge_kutta, Space::neuron, false, false, 2037},
                                         Case{Method::runge_kutta, Space::latent, true, false, 2037},
                                         Case{Method::adams, Space::neuron, true, false, 2037},
                                         Case{Method::adams, Space::latent, true, false, 700},
                                         Case{Method::bdf, Space::neuron, true, false, 2037},
                                         Case{Method::bdf, Space::neuron, true, true, 700},
                                         Case{Method::bdf, Space::neuron, true, false, 300},  // fewer tiles than ranks
                                         Case{Method::bdf, Space::latent, true, false, 2037}));

}  // namespace
}  // namespace rankflow::simulate
