#include "flow/training.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "flow/flow_support.hpp"
#include "flow/shard_objective.hpp"
#include "flow/single_optimiser.hpp"
#include "nn/optimiser.hpp"
#include "support/allocation_counter.hpp"

namespace rankflow::flow {
namespace {

using testing::network_of;
using testing::normal_numbers;

const parallel::Communicator serial;

std::vector<std::int64_t> first_rows(std::size_t count) {
  std::vector<std::int64_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = static_cast<std::int64_t>(i);
  return rows;
}

TEST(ShardObjective, GradientsAgreeWithDifferences) {
  auto flow = make_flow(network_of(2, 12, 1), 2, 1, 4);
  flow.mean = {0.3, -0.2};
  flow.scale = {1.5, 0.5};
  flow.condition_mean = {0.1};
  flow.condition_scale = {2.0};
  const auto x = normal_numbers(20, 1);
  const auto conditions = normal_numbers(10, 2);
  const auto rows = first_rows(10);
  for (const auto kind : {config::PathKind::conditional_ot, config::PathKind::variance_preserving}) {
    ShardObjective<double> objective(flow, Path(kind, 0.01), 10, true);
    objective.draw(3, 0, 0, 10);
    PackedWeights<double> weights(flow.network, true);
    const auto value = [&](std::span<double> gradient) {
      weights.load(flow.parameters);
      return objective.evaluate(weights, {x, conditions}, rows, 0, 10, 0.05, gradient);
    };
    std::vector<double> gradient(flow.parameters.size());
    value(gradient);
    constexpr double h = 1e-3;
    double scale = 0;
    for (std::size_t i = 0; i < gradient.size(); i += 3) {
      const double kept = flow.parameters[i];
      const auto at = [&](double shift) {
        flow.parameters[i] = kept + shift;
        return value({});
      };
      const double slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      flow.parameters[i] = kept;
      EXPECT_NEAR(gradient[i], slope, 2e-11);
      scale = std::max(scale, std::abs(slope));
    }
    EXPECT_GT(scale, 0.05) << "control";
  }
}

TEST(ShardObjective, IsTheMeanSquaredErrorOfTheVelocity) {
  // A network of weight 0 whose last bias is c: the loss is the mean of |x1 - x0 - c|^2 over x0, 1 + Var(x1) + c^2.
  auto flow = make_flow(network_of(1, 4), 1, 0, 1);
  std::ranges::fill(flow.parameters, 0.0);
  flow.parameters.back() = 0.5;
  constexpr std::size_t count = 40000;
  const auto x = normal_numbers(count, 8);
  const FlowTraining training(flow, {}, 3, 1);
  // The square of N(0.5, 2) has mean 2.25 and variance 2 * 4 + 4 * 0.25 * 2 = 10.
  EXPECT_NEAR(training.loss(serial, {x, {}}), 2.25, 5 * std::sqrt(10.0 / count));
}

TEST(SingleOptimiser, FollowsTheOneInDoublePrecision) {
  for (const auto kind : {config::OptimiserKind::adam, config::OptimiserKind::adamw, config::OptimiserKind::radam}) {
    config::OptimiserOptions options{.kind = kind, .learning_rate = 1e-2, .clip_norm = 3.0, .weight_decay = 0.1};
    const auto start = normal_numbers(100, 1);
    SingleOptimiser single(options, 0.0, start);
    nn::Optimiser exact(options, 100, {{0, 100}});
    auto parameters = start;
    for (std::uint64_t step = 0; step < 50; ++step) {
      const auto gradient = normal_numbers(100, 10 + step);
      const std::vector<float> narrow(gradient.begin(), gradient.end());
      single.begin_step(norm(narrow), 1e-2);
      single.update(narrow, 0, 37);
      single.update(narrow, 37, 100);
      exact.step(parameters, gradient, 1e-2);
    }
    double moved = 0;
    for (std::size_t i = 0; i < 100; ++i) {
      // 50 steps, each rounded to 2^-24 of numbers below 4, and errors of 1e-6 in a change of 1e-2.
      EXPECT_NEAR(static_cast<double>(single.parameters()[i]), parameters[i], 2e-5);
      moved = std::max(moved, std::abs(parameters[i] - start[i]));
    }
    EXPECT_GT(moved, 0.02) << "control";
  }
}

TEST(SingleOptimiser, AveragesParameters) {
  const std::vector<double> start{1.0};
  SingleOptimiser optimiser({.kind = config::OptimiserKind::adam}, 0.5, start);
  double average = 1.0;
  for (int step = 1; step <= 20; ++step) {
    optimiser.begin_step(1.0, 0.1);
    optimiser.update(std::vector<float>{1.0F}, 0, 1);
    const double memory = std::min(0.5, (step + 1.0) / (step + 10.0));
    average = memory * average + (1 - memory) * static_cast<double>(optimiser.parameters()[0]);
    EXPECT_NEAR(static_cast<double>(optimiser.average()[0]), average, 1e-6);
  }
  EXPECT_GT(std::abs(average - static_cast<double>(optimiser.parameters()[0])), 0.05) << "control";
}

TEST(FlowTraining, LowersTheLossAndAllocatesNothingPerStep) {
  const auto flow = make_flow(network_of(2, 32), 2, 1, 4);
  auto x = normal_numbers(600, 1);
  for (auto& value : x) value += 2;
  const auto conditions = normal_numbers(300, 2);
  FlowTraining training(flow, {}, 1, 1000);
  const double before = training.loss(serial, {x, conditions});
  training.epoch(serial, {x, conditions}, 0);
  const auto allocations = rankflow::testing::allocations.load();
  for (std::int64_t step = 0; step < 5; ++step) training.step(serial, {x, conditions}, first_rows(64));
  EXPECT_LE(rankflow::testing::allocations.load() - allocations, 5) << "those of the test's own rows";
  for (std::int64_t epoch = 1; epoch < 40; ++epoch) training.epoch(serial, {x, conditions}, epoch);
  EXPECT_LT(training.loss(serial, {x, conditions}), 0.5 * before) << "of 6, all but 1.6 goes when the mean is found";
}

TEST(FlowTraining, ContinuesBitByBit) {
  const auto flow = make_flow(network_of(2, 32), 2, 0, 4);
  const auto x = normal_numbers(600, 1);
  config::FlowTrainingOptions options;
  options.average_memory = 0.9;
  FlowTraining straight(flow, options, 1, 100);
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) straight.epoch(serial, {x, {}}, epoch);
  FlowTraining first(flow, options, 1, 100);
  for (std::int64_t epoch = 0; epoch < 2; ++epoch) first.epoch(serial, {x, {}}, epoch);
  FlowTraining second(make_flow(network_of(2, 32), 2, 0, 99), options, 1, 100);
  second.restore(first.steps(), first.state());
  for (std::int64_t epoch = 2; epoch < 4; ++epoch) second.epoch(serial, {x, {}}, epoch);
  EXPECT_EQ(second.parameters(), straight.parameters());
  EXPECT_EQ(second.last_parameters(), straight.last_parameters());
  EXPECT_EQ(second.steps(), straight.steps());
  FlowTraining other(flow, options, 2, 100);
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) other.epoch(serial, {x, {}}, epoch);
  EXPECT_NE(other.parameters(), straight.parameters()) << "control: another seed";
  EXPECT_THROW(second.restore(1, std::vector<double>(3)), InternalError);
}

TEST(FlowTraining, NamesStepAndParameterOfWhatIsNotFinite) {
  auto flow = make_flow(network_of(2, 32), 2, 0, 4);
  auto x = normal_numbers(128, 1);
  x[17] = std::numeric_limits<double>::quiet_NaN();
  FlowTraining training(flow, {}, 1, 100);
  const auto before = training.parameters();
  try {
    training.epoch(serial, {x, {}}, 7);
    FAIL() << "nothing was thrown";
  } catch (const NumericalError& error) {
    EXPECT_NE(error.report().find("epoch 7"), std::string::npos) << error.report();
    EXPECT_NE(error.report().find("weights_0[0,0]"), std::string::npos) << error.report();
    EXPECT_NE(error.report().find("step "), std::string::npos) << error.report();
  }
  EXPECT_LE(training.steps(), 1) << "the step that failed is not counted";
  if (training.steps() == 0) {
    EXPECT_EQ(training.parameters(), before);
  }
  for (const double value : training.parameters()) ASSERT_TRUE(std::isfinite(value));
}

TEST(FlowTraining, RefusesArraysThatDoNotFit) {
  const auto flow = make_flow(network_of(1, 8), 2, 1, 4);
  FlowTraining training(flow, {}, 1, 100);
  const std::vector<double> x(8, 0.5);
  EXPECT_THROW(training.step(serial, {x, {}}, first_rows(4)), InternalError);
  EXPECT_THROW(training.step(serial, {x, std::span(x).first(4)}, {}), InternalError);
  auto broken = flow;
  broken.scale[0] = 0.0;
  EXPECT_THROW(FlowTraining(broken, {}, 1, 100), InternalError);
}

TEST(Standardisation, TakesMeanAndDeviationOfColumns) {
  const std::vector<double> rows{1, 5, 3, 5, 5, 5};
  const auto found = standardisation(rows, 2);
  EXPECT_DOUBLE_EQ(found.mean[0], 3.0);
  EXPECT_NEAR(found.scale[0], std::sqrt(8.0 / 3), 1e-15);
  EXPECT_EQ(found.scale[1], 1.0) << "a constant column";
  const std::vector<double> broken{1, std::numeric_limits<double>::infinity()};
  EXPECT_THROW(standardisation(broken, 2), InputDataError);
}

}  // namespace
}  // namespace rankflow::flow
