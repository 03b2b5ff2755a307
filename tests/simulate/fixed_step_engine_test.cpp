#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.hpp"
#include "core/error.hpp"
#include "simulate/assembly.hpp"

namespace rankflow::simulate {
namespace {

/// Keeps the latents of every row in memory.
class Rows final : public RowSink {
 public:
  std::int64_t rows_per_block(int) const override { return 7; }
  void open_block(int, int, std::int64_t) override { ++blocks; }
  void record(std::int64_t row, const StateView& state) override {
    EXPECT_EQ(row, static_cast<std::int64_t>(latents.size()));
    std::vector<double> z(static_cast<std::size_t>(state.trials()) * 2);
    state.latents(z);
    latents.push_back(z);
    std::vector<bool> trials;
    for (int trial = 0; trial < state.trials(); ++trial) trials.push_back(state.alive(trial));
    alive.push_back(trials);
  }
  void close_block() override {}

  int blocks = 0;
  std::vector<std::vector<double>> latents;
  std::vector<std::vector<bool>> alive;
};

config::SimulateOptions options_of(const std::vector<std::string>& sets) {
  const std::string toml = R"(
[network]
preset = "ring_attractor"
neurons = 1300
tau = 0.1
[time]
step = 0.01
duration = 0.5
save_every = 0.05
trials = 2
[initial]
latent = [[0.5, 0.1], [-1.0, 0.4]]
)";
  return config::load_text<config::SimulateOptions>(toml, "test.toml", sets).options;
}

Rows run(const config::SimulateOptions& options) {
  const parallel::Communicator comm;
  Assembly<double> assembly(options, {}, comm);
  parallel::HaltMonitor halt(comm, {});
  Rows rows;
  EXPECT_TRUE(assembly.engine().run(rows, halt));
  return rows;
}

TEST(FixedStepEngine, LatentSpaceFollowsNeuronSpace) {
  for (const char* method : {"map", "euler", "exponential_euler"}) {
    const std::string set = std::string("integration.method=") + method;
    const auto neuron = run(options_of({set})).latents;
    const auto latent = run(options_of({set, "integration.space=latent"})).latents;
    ASSERT_EQ(neuron.size(), 11U);
    for (std::size_t row = 0; row < neuron.size(); ++row)
      for (std::size_t k = 0; k < 4; ++k)
        // 50 steps of rounding, magnified by the projection's Gram matrix (condition near 1).
        EXPECT_NEAR(neuron[row][k], latent[row][k], 1e-12) << method << " row " << row;
    EXPECT_GT(std::abs(neuron.back()[0] - neuron.front()[0]), 1e-3) << "control: the state moves";
  }
}

TEST(FixedStepEngine, FirstOrderInTheStep) {
  for (const char* method : {"euler", "exponential_euler"}) {
    std::vector<double> ends;
    for (const char* step : {"0.01", "0.005", "0.0025"})
      ends.push_back(run(options_of({std::string("integration.method=") + method, std::string("time.step=") + step,
                                     "integration.space=latent"}))
                         .latents.back()[0]);
    // Richardson: successive differences of a first-order method halve, up to a term of second order.
    EXPECT_NEAR((ends[0] - ends[1]) / (ends[1] - ends[2]), 2.0, 0.1) << method;
  }
}

TEST(FixedStepEngine, ThresholdEndsATrialAndOnlyThatOne) {
  for (const char* space : {"neuron", "latent"}) {
    auto options = options_of({std::string("integration.space=") + space, "stop.latent=0", "stop.above=0.55"});
    const parallel::Communicator comm;
    Assembly<double> assembly(options, {}, comm);
    parallel::HaltMonitor halt(comm, {});
    Rows rows;
    EXPECT_TRUE(assembly.engine().run(rows, halt));
    const auto stops = assembly.engine().stop_times();
    ASSERT_FALSE(std::isnan(stops[0]));
    EXPECT_TRUE(std::isnan(stops[1]));
    EXPECT_GT(stops[0], 0.0);
    for (std::size_t row = 0; row < rows.alive.size(); ++row) {
      EXPECT_EQ(rows.alive[row][0], static_cast<double>(row) * 0.05 <= stops[0]) << row;
      EXPECT_TRUE(rows.alive[row][1]);
      EXPECT_TRUE(!rows.alive[row][0] || rows.latents[row][0] < 0.55);
    }
  }
}

TEST(FixedStepEngine, NonFiniteValuesNameQuantityTrialAndTime) {
  auto options = options_of({"network.activation=identity", "integration.method=exponential_euler", "time.step=1.0",
                             "time.save_every=1.0", "time.duration=2000.0", "initial.latent=[30.0, 30.0]"});
  try {
    run(options);
    FAIL() << "unbounded activity stays finite";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::numerical);
    EXPECT_THAT(error.what(), testing::ContainsRegex("kappa_[01] became .* in trial 0 at t = [0-9]+ s"));
  }
}

TEST(FixedStepEngine, NoiseDependsOnSeedStepAndTrialOnly) {
  const auto noisy = [&](const char* seed) {
    return run(options_of({"noise.neuron=0.3", "noise.latent=0.1", std::string("run.seed=") + seed})).latents;
  };
  EXPECT_EQ(noisy("4"), noisy("4"));
  EXPECT_NE(noisy("4"), noisy("5")) << "control";
}

}  // namespace
}  // namespace rankflow::simulate
