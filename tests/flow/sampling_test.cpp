#include "flow/sampling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "flow/flow_support.hpp"

namespace rankflow::flow {
namespace {

using config::FlowIntegrator;
using testing::network_of;
using testing::normal_numbers;
using testing::two_sample_ratio;

config::FlowSamplerOptions steps_of(FlowIntegrator method, std::int64_t steps) {
  return {.method = method, .steps = steps, .tolerance = 1e-10};
}

/// A flow whose velocities are of order 1 and bend.
Flow lively_flow(std::int64_t variables, std::int64_t conditions) {
  auto flow = make_flow(network_of(2, 24, 1), variables, conditions, 5);
  for (auto& value : flow.parameters) value *= 3;
  for (std::size_t v = 0; v < flow.mean.size(); ++v) flow.mean[v] = 0.5 * static_cast<double>(v);
  for (auto& value : flow.scale) value = 1.5;
  return flow;
}

double root_mean_square(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

const parallel::Stream stream(11, parallel::Purpose::flow_sample);

TEST(Sampling, FixedStepsConvergeToTheAdaptiveSolutionAtTheirOrder) {
  const auto flow = lively_flow(2, 0);
  const auto x0 = normal_numbers(200, 3);
  const auto exact = transport(flow, steps_of(FlowIntegrator::adaptive, 1), x0);
  const auto error = [&](FlowIntegrator method, std::int64_t steps) {
    return root_mean_square(transport(flow, steps_of(method, steps), x0), exact);
  };
  // Halving steps divides errors by 2^order as long as single precision (1e-6) does not show.
  EXPECT_NEAR(std::log2(error(FlowIntegrator::midpoint, 16) / error(FlowIntegrator::midpoint, 32)), 2.0, 0.3);
  EXPECT_NEAR(std::log2(error(FlowIntegrator::rk4, 4) / error(FlowIntegrator::rk4, 8)), 4.0, 0.8);
  EXPECT_LT(error(FlowIntegrator::rk4, 64), 2e-6);
  EXPECT_GT(error(FlowIntegrator::midpoint, 4), 1e-4) << "control";
}

TEST(Sampling, ASampleDependsOnItsNumberOnly) {
  const auto flow = lively_flow(2, 1);
  const auto conditions = normal_numbers(300, 4);
  for (const auto method : {FlowIntegrator::midpoint, FlowIntegrator::rk4, FlowIntegrator::adaptive}) {
    const auto options = steps_of(method, 5);
    const std::int64_t count = method == FlowIntegrator::adaptive ? 70 : 300;
    const auto all =
        sample(flow, options, stream, 1000, count, std::span(conditions).first(static_cast<std::size_t>(count)));
    for (const std::int64_t first : {0, 1, 37, 64, 69}) {
      const auto part = sample(flow, options, stream, 1000 + first, 1,
                               std::span(conditions).subspan(static_cast<std::size_t>(first), 1));
      EXPECT_EQ(part[0], all[static_cast<std::size_t>(2 * first)]);
      EXPECT_EQ(part[1], all[static_cast<std::size_t>(2 * first + 1)]);
    }
    const auto other = sample(flow, options, stream, 1001, 1, std::span(conditions).first(1));
    EXPECT_NE(other[0], all[0]) << "control: another number";
    const auto conditioned = sample(flow, options, stream, 1000, 1, std::span(conditions).subspan(1, 1));
    EXPECT_NE(conditioned[0], all[0]) << "control: another condition";
  }
}

TEST(Sampling, AFlowThatStandsStillGivesItsNoiseInTheUnitsOfSamples) {
  auto flow = make_flow(network_of(1, 8), 2, 0, 1);
  std::ranges::fill(flow.parameters, 0.0);
  flow.mean = {1.0, -2.0};
  flow.scale = {0.5, 3.0};
  constexpr std::int64_t count = 20000;
  const auto x = sample(flow, steps_of(FlowIntegrator::midpoint, 3), stream, 0, count);
  for (std::size_t v = 0; v < 2; ++v) {
    double mean = 0;
    double square = 0;
    for (std::size_t i = v; i < x.size(); i += 2) {
      mean += x[i] / count;
      square += (x[i] - flow.mean[v]) * (x[i] - flow.mean[v]) / count;
    }
    EXPECT_NEAR(mean, flow.mean[v], 5 * flow.scale[v] / std::sqrt(count));
    EXPECT_NEAR(square / (flow.scale[v] * flow.scale[v]), 1.0, 5 * std::sqrt(2.0 / count));
  }
}

TEST(Sampling, LearnsAMixture) {
  constexpr std::size_t count = 4000;
  const auto mixture = [](std::uint64_t seed) {
    auto x = normal_numbers(2 * count, seed);
    for (std::size_t i = 0; i < count; ++i) {
      x[2 * i] = 0.4 * x[2 * i] + (i % 2 == 0 ? 1.2 : -1.2);
      x[2 * i + 1] = 0.4 * x[2 * i + 1] + (i % 4 < 2 ? 1.0 : -1.0);
    }
    return x;
  };
  const auto taught = mixture(1);
  auto flow = make_flow(network_of(3, 64), 2, 0, 2);
  testing::train(flow, {taught, {}}, 100);
  const auto drawn = sample(flow, steps_of(FlowIntegrator::midpoint, 20), stream, 0, count);
  EXPECT_LT(two_sample_ratio(drawn, mixture(2), 2), 1.0);
  EXPECT_GT(two_sample_ratio(normal_numbers(2 * count, 3), mixture(2), 2), 1.5) << "control: a Gaussian";
}

TEST(Sampling, LearnsAStudentT) {
  // t of 4 degrees of freedom: a normal number over the root of a mean of four squares.
  constexpr std::size_t count = 6000;
  const auto student = [](std::uint64_t seed) {
    const auto z = normal_numbers(5 * count, seed);
    std::vector<double> x(count);
    for (std::size_t i = 0; i < count; ++i) {
      double squares = 0;
      for (std::size_t k = 1; k < 5; ++k) squares += z[5 * i + k] * z[5 * i + k] / 4;
      x[i] = z[5 * i] / std::sqrt(squares);
    }
    return x;
  };
  const auto taught = student(1);
  auto flow = make_flow(network_of(3, 64), 1, 0, 2);
  flow.scale = standardisation(taught, 1).scale;
  testing::train(flow, {taught, {}}, 80);
  const auto drawn = sample(flow, steps_of(FlowIntegrator::midpoint, 20), stream, 0, count);
  EXPECT_LT(two_sample_ratio(drawn, student(2), 1), 1.0);
  auto gaussian = normal_numbers(count, 3);
  for (auto& value : gaussian) value *= std::sqrt(2.0);
  EXPECT_GT(two_sample_ratio(gaussian, student(2), 1), 1.0) << "control: a Gaussian of the same variance";
}

TEST(Sampling, LearnsAConditionalDistribution) {
  // x given c: normal of mean 2 c and standard deviation 0.3 + 0.5 |c|, hence (x - mean) / deviation is normal.
  constexpr std::size_t count = 5000;
  const auto c = normal_numbers(count, 1);
  auto x = normal_numbers(count, 2);
  for (std::size_t i = 0; i < count; ++i) x[i] = 2 * c[i] + (0.3 + 0.5 * std::abs(c[i])) * x[i];
  auto flow = make_flow(network_of(3, 64), 1, 1, 2);
  flow.scale = standardisation(x, 1).scale;
  testing::train(flow, {x, c}, 100);
  const auto fresh = normal_numbers(count, 3);
  auto drawn = sample(flow, steps_of(FlowIntegrator::rk4, 10), stream, 0, count, fresh);
  auto misplaced = drawn;
  for (std::size_t i = 0; i < count; ++i) {
    misplaced[i] = (drawn[i] - 2 * c[i]) / (0.3 + 0.5 * std::abs(c[i]));
    drawn[i] = (drawn[i] - 2 * fresh[i]) / (0.3 + 0.5 * std::abs(fresh[i]));
  }
  const auto normal = normal_numbers(count, 4);
  EXPECT_LT(two_sample_ratio(drawn, normal, 1), 1.0);
  EXPECT_GT(two_sample_ratio(misplaced, normal, 1), 2.0) << "control: conditions of other samples";
}

TEST(Sampling, RefusesWhatDoesNotFitAndNamesWhatIsNotFinite) {
  auto flow = lively_flow(2, 1);
  const std::vector<double> conditions(3, 0.1);
  const auto options = steps_of(FlowIntegrator::midpoint, 4);
  EXPECT_THROW(sample(flow, options, stream, 0, 4, conditions), InternalError);
  EXPECT_THROW(transport(flow, options, conditions, conditions), InternalError);
  auto unusable = conditions;
  unusable[1] = std::numeric_limits<double>::quiet_NaN();
  try {
    sample(flow, options, stream, 0, 3, unusable);
    FAIL() << "nothing was thrown";
  } catch (const NumericalError& error) {
    EXPECT_NE(error.report().find("row 1"), std::string::npos) << error.report();
  }
  EXPECT_THROW(sample(flow, steps_of(FlowIntegrator::adaptive, 1), stream, 0, 3, unusable), NumericalError);
}

}  // namespace
}  // namespace rankflow::flow
