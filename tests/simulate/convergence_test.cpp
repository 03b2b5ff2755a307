#include <gtest/gtest.h>

#include "simulate/sundials_runs.hpp"

namespace rankflow::simulate {
namespace {

using config::Method;
using test::Bench;
using test::Experiment;

/// A smooth problem: tanh, a sinusoidal input, six time constants long.
Experiment smooth(Method method) {
  Experiment setup{.recipe = {.neurons = 600, .bias = true, .tau = 0.05}, .row_times = {0.3}};
  setup.options.time.duration = 0.3;
  setup.options.integration.method = method;
  setup.options.inputs = {test::sinusoid(1.0, 2.0)};
  return setup;
}

Experiment with_tolerance(Method method, double tolerance) {
  Experiment setup = smooth(method);
  setup.options.integration.order = 5;
  setup.options.integration.restart_every = 0.3;  // otherwise segments bound the steps
  setup.options.integration.relative_tolerance = tolerance;
  setup.options.integration.absolute_tolerance = tolerance;
  return setup;
}

const std::vector<double>& final_potentials(Bench& bench) {
  EXPECT_TRUE(bench.run());
  return bench.sink.potentials.at({0, 0});
}

Experiment with_steps(int order, int steps) {
  Experiment setup = smooth(Method::runge_kutta);
  setup.options.integration.order = order;
  setup.options.integration.adaptive = false;
  setup.options.time.step = setup.options.time.duration / steps;
  return setup;
}

const std::vector<double>& reference() {
  static const std::vector<double> potentials = [] {
    Bench bench(with_steps(8, 240));
    return final_potentials(bench);
  }();
  return potentials;
}

double error_with_steps(int order, int steps) {
  Bench bench(with_steps(order, steps));
  const double error = test::largest_difference(final_potentials(bench), reference());
  EXPECT_EQ(bench.count("steps"), steps);
  return error;
}

struct Order {
  int configured;
  int expected;
  int steps;
};
class FixedStepOrder : public testing::TestWithParam<Order> {};

TEST_P(FixedStepOrder, ErrorFallsAtTheOrderOfTheMethod) {
  const auto [configured, expected, steps] = GetParam();
  const double coarse = error_with_steps(configured, steps);
  const double fine = error_with_steps(configured, 2 * steps);
  const double slope = std::log2(coarse / fine);
  RecordProperty("slope", std::to_string(slope));
  EXPECT_GT(slope, expected - 0.3);
  EXPECT_LT(slope, expected + 0.6) << "the next term of the error still adds to the slope";
}

INSTANTIATE_TEST_SUITE_P(RungeKutta, FixedStepOrder,
                         testing::Values(Order{2, 2, 320}, Order{3, 3, 160}, Order{4, 4, 80}, Order{5, 5, 40},
                                         Order{6, 6, 40}, Order{7, 8, 16}, Order{8, 8, 16}));

class AdaptiveError : public testing::TestWithParam<Method> {};

TEST_P(AdaptiveError, FollowsTheTolerance) {
  double before = std::numeric_limits<double>::infinity();
  double first = 0.0;
  std::int64_t steps_before = 0;
  for (const double tolerance : {1e-4, 1e-6, 1e-8, 1e-10}) {
    Bench bench(with_tolerance(GetParam(), tolerance));
    const double error = test::largest_difference(final_potentials(bench), reference());
    EXPECT_LT(error, 200 * tolerance);
    EXPECT_LT(error, before / 5);
    if (first == 0.0) first = error;
    EXPECT_GT(bench.count("steps"), steps_before);
    before = error;
    steps_before = bench.count("steps");
  }
  EXPECT_LT(before, 1e-4 * first) << "over six decades of tolerance";
}

INSTANTIATE_TEST_SUITE_P(Methods, AdaptiveError, testing::Values(Method::runge_kutta, Method::adams, Method::bdf));

TEST(Stiffness, BdfNeedsFiftyTimesFewerEvaluationsThanRungeKutta) {
  std::int64_t evaluations[2] = {};
  std::vector<double> potentials[2];
  for (const bool implicit : {false, true}) {
    Experiment setup{.recipe = {.neurons = 2000, .own_tau = true}, .row_times = {3.0}};
    setup.options.time.duration = 3.0;
    setup.options.integration.method = implicit ? Method::bdf : Method::runge_kutta;
    setup.options.integration.relative_tolerance = 1e-5;
    setup.options.integration.absolute_tolerance = 1e-7;
    Bench bench(setup);
    potentials[implicit ? 1 : 0] = final_potentials(bench);
    evaluations[implicit ? 1 : 0] = bench.count("evaluations");
  }
  EXPECT_GE(evaluations[0], 50 * evaluations[1]);
  EXPECT_LT(test::largest_difference(potentials[0], potentials[1]), 1e-3) << "both solve the same problem";
}

}  // namespace
}  // namespace rankflow::simulate
