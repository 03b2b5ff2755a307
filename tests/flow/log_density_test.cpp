#include "flow/log_density.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "flow/divergence.hpp"
#include "flow/flow_support.hpp"
#include "flow/sampling.hpp"
#include "flow/velocity_pass.hpp"

namespace rankflow::flow {
namespace {

using config::FlowIntegrator;
using testing::network_of;
using testing::normal_numbers;

const parallel::Communicator serial;

Flow bent_flow(std::int64_t variables, std::int64_t conditions, double strength = 2.0) {
  auto flow = make_flow(network_of(2, 24, 1), variables, conditions, 5);
  for (auto& value : flow.parameters) value *= strength;
  for (auto& value : flow.scale) value = 1.3;
  return flow;
}

/// Divergence by fourth-order differences of velocities.
std::vector<double> divergence_by_differences(const Flow& flow, const std::vector<double>& x,
                                              std::span<const double> conditions, double t) {
  const auto variables = static_cast<std::size_t>(flow.network.variables());
  const auto columns = static_cast<std::size_t>(flow.network.conditions());
  const std::size_t count = x.size() / variables;
  VelocityPass<double> pass(flow.network, 1, false);
  PackedWeights<double> weights(flow.network, false);
  weights.load(flow.parameters);
  std::vector<double> result(count, 0.0);
  constexpr double h = 1e-3;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t v = 0; v < variables; ++v) {
      const auto at = [&](double shift) {
        for (std::size_t k = 0; k < variables; ++k) pass.input(0)[k] = x[i * variables + k] + (k == v ? shift : 0.0);
        for (std::size_t c = 0; c < columns; ++c) pass.input(0)[variables + c] = conditions[i * columns + c];
        pass.set_time(0, t);
        pass.forward(weights, 1);
        return pass.output(0)[v];
      };
      result[i] += (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    }
  return result;
}

TEST(Divergence, AgreesWithDifferences) {
  for (const std::int64_t variables : {1, 2, 5}) {
    const auto flow = bent_flow(variables, 2);
    const auto x = normal_numbers(static_cast<std::size_t>(40 * variables), 1);
    const auto conditions = normal_numbers(80, 2);
    const auto exact = divergence(flow, x, conditions, 0.3);
    const auto differences = divergence_by_differences(flow, x, conditions, 0.3);
    double scale = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      EXPECT_NEAR(exact[i], differences[i], 1e-10);  // h^4 with fifth derivatives of order 10, 1e-15 / h
      scale = std::max(scale, std::abs(exact[i]));
    }
    EXPECT_GT(scale, 0.1) << "control";
    EXPECT_GT(std::abs(divergence(flow, x, conditions, 0.6)[0] - exact[0]), 1e-6) << "control: another time";
  }
}

TEST(Divergence, ProbesEstimateItWithoutBias) {
  const auto flow = bent_flow(6, 0);
  const auto x = normal_numbers(6, 1);
  std::vector<double> same;
  constexpr std::size_t count = 4000;
  for (std::size_t i = 0; i < count; ++i) same.insert(same.end(), x.begin(), x.end());
  Divergence estimate(flow, count, 1);
  estimate.draw_probes(3, 0);
  std::vector<double> velocities(same.size()), estimates(count);
  estimate.evaluate(0.4, same, velocities, estimates);
  double mean = 0;
  double squares = 0;
  for (const double value : estimates) mean += value / count;
  for (const double value : estimates) squares += (value - mean) * (value - mean) / count;
  EXPECT_GT(squares, 1e-4) << "control: it is random";
  EXPECT_NEAR(mean, divergence(flow, x, {}, 0.4)[0], 5 * std::sqrt(squares / count));
}

/// Sum of the density over a grid that reaches as far as the flow can carry noise: the trapezium rule is exact to the
/// last digits for smooth functions that vanish at the border.
double integral(const Flow& flow, const LogDensityOptions& options, double reach, int cells) {
  const double width = 2 * reach / cells;
  std::vector<double> grid;
  for (int i = 0; i < cells; ++i)
    for (int j = 0; j < cells; ++j) {
      grid.push_back(flow.mean[0] + (i + 0.5) * width - reach);
      grid.push_back(flow.mean[1] + (j + 0.5) * width - reach);
    }
  double sum = 0;
  for (const double value : log_density(flow, options, grid)) sum += std::exp(value) * width * width;
  return sum;
}

TEST(LogDensity, IntegratesToOne) {
  const auto flow = bent_flow(2, 0, 1.5);
  EXPECT_NEAR(integral(flow, {}, 12.0, 120), 1.0, 1e-6);
  auto other = flow;
  other.scale[0] = 1.0;  // the same network, which then is asked about other points
  EXPECT_NEAR(integral(other, {}, 12.0, 120), 1.0, 1e-6);
  LogDensityOptions coarse;
  coarse.integrator.steps = 1;
  EXPECT_GT(std::abs(integral(flow, coarse, 12.0, 120) - 1.0), 1e-4) << "control: volumes of too long a step";
}

TEST(LogDensity, MethodsAgree) {
  const auto flow = bent_flow(2, 1);
  const auto x = normal_numbers(100, 1);
  const auto conditions = normal_numbers(50, 2);
  LogDensityOptions fixed;
  fixed.integrator.steps = 100;
  LogDensityOptions adaptive;
  adaptive.integrator.method = FlowIntegrator::adaptive;
  adaptive.integrator.tolerance = 1e-10;
  const auto a = log_density(flow, fixed, x, conditions);
  const auto b = log_density(flow, adaptive, x, conditions);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6);
  auto coarse = fixed;
  coarse.integrator.steps = 2;
  EXPECT_GT(std::abs(log_density(flow, coarse, x, conditions)[0] - a[0]), 1e-6) << "control";
  // A row alone, and the condition's part in it.
  const auto alone = log_density(flow, fixed, std::span(x).subspan(66, 2), std::span(conditions).subspan(33, 1), 33);
  EXPECT_EQ(alone[0], a[33]);
  EXPECT_NE(log_density(flow, fixed, std::span(x).subspan(66, 2), std::span(conditions).first(1))[0], a[33]);
}

TEST(LogDensity, ProbesReplaceTheTraceBeyondTheThreshold) {
  const auto flow = bent_flow(5, 0, 1.0);
  const auto x = normal_numbers(5 * 200, 1);
  LogDensityOptions options;
  options.integrator.steps = 20;
  const auto exact = log_density(flow, options, x);
  options.exact_variables = 4;
  options.probes = 64;
  const auto estimated = log_density(flow, options, x);
  double mean = 0;
  double squares = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double difference = estimated[i] - exact[i];
    mean += difference / 200;
    squares += difference * difference / 200;
  }
  EXPECT_GT(squares, 1e-12) << "control: probes were used";
  EXPECT_LT(std::abs(mean), 5 * std::sqrt(squares / 200));
  EXPECT_LT(std::sqrt(squares), 0.1);
}

/// A Gaussian of correlated variables, which a flow is taught.
struct TaughtGaussian {
  static constexpr std::size_t count = 8000;
  static constexpr double a = 0.8, b = 0.6, c = 0.5;  ///< x = a z0, y = b z0 + c z1
  Flow flow = make_flow(network_of(3, 64), 2, 0, 2);

  static std::vector<double> samples(std::uint64_t seed) {
    auto z = normal_numbers(2 * count, seed);
    for (std::size_t i = 0; i < count; ++i) {
      z[2 * i + 1] = b * z[2 * i] + c * z[2 * i + 1];
      z[2 * i] *= a;
    }
    return z;
  }
  static double log_density(double x, double y) {
    const double z0 = x / a;
    const double z1 = (y - b * z0) / c;
    return -0.5 * (z0 * z0 + z1 * z1) - std::log(2 * std::numbers::pi * a * c);
  }
  TaughtGaussian() { testing::train(flow, {samples(1), {}}, 100); }
};

TEST(LogDensity, OfATaughtGaussianMatchesTheTruth) {
  const TaughtGaussian taught;
  const auto x = TaughtGaussian::samples(2);
  const auto found = log_density(taught.flow, {}, std::span(x).first(2000));
  // The mean of log p - log q over samples of p is the Kullback-Leibler divergence: 0 when the flow is right. A fit of
  // five parameters to 8000 samples costs 5 / 16000; the network is allowed 0.02 nats.
  double divergence_of_both = 0;
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = TaughtGaussian::log_density(x[2 * i], x[2 * i + 1]) - found[i];
    divergence_of_both += difference / static_cast<double>(found.size());
    const bool central = std::hypot(x[2 * i], x[2 * i + 1]) < 1.0;
    if (central) worst = std::max(worst, std::abs(difference));
  }
  EXPECT_LT(std::abs(divergence_of_both), 0.02);
  EXPECT_LT(worst, 0.3);
  EXPECT_NEAR(integral(taught.flow, {}, 6.0, 80), 1.0, 1e-3);

  const double truth = 1 + std::log(2 * std::numbers::pi * TaughtGaussian::a * TaughtGaussian::c);
  const auto found_entropy =
      entropy(serial, taught.flow, {}, {}, parallel::Stream(1, parallel::Purpose::flow_sample), 2000);
  // -log p of a Gaussian has variance 1 (half of a chi square of 2 degrees of freedom).
  EXPECT_NEAR(found_entropy.error * std::sqrt(2000.0), 1.0, 0.15);
  EXPECT_NEAR(found_entropy.nats, truth, 5 * found_entropy.error + 0.05);
  EXPECT_GT(std::abs(truth - 1 - std::log(2 * std::numbers::pi)), 0.5) << "control: the noise's entropy is another";
}

}  // namespace
}  // namespace rankflow::flow
