#include <gtest/gtest.h>

#include "analysis/fixed_points.hpp"
#include "analysis/fixed_points_newton.hpp"
#include "core/error.hpp"
#include "fixed_points_support.hpp"

namespace rankflow::analysis {
namespace {

using model::Activation;

FixedPointReport report_of(const LatentMap& map, const config::FixedPointsOptions& options = {}) {
  return find_fixed_points(map, options, 1, {}, [](const std::string&, double) {});
}

/// One neuron: tau dz/dt = -z + phi(gain z + shift).
LatentMapArrays single_neuron(double gain, double shift) {
  LatentMapArrays arrays;
  arrays.neurons = 1;
  arrays.left = {gain};
  arrays.right = {1};
  arrays.shift = {shift};
  arrays.bias = {0};
  arrays.linear = {-1};
  arrays.offset = {0};
  return arrays;
}

/// Root of -z + tanh(gain z + shift) between two signs.
double bisected(double gain, double shift, double low, double high) {
  const auto value = [&](double z) { return std::tanh(gain * z + shift) - z; };
  const bool rises = value(low) < 0;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    ((value(middle) < 0) == rises ? low : high) = middle;
  }
  return (low + high) / 2;
}

TEST(NewtonFixedPoints, ThreeOfABistableNeuron) {
  const double gain = 3;
  const double shift = 0.1;
  const auto report = report_of({Activation::tanh, 0.1, single_neuron(gain, shift)});
  EXPECT_FALSE(report.effort.complete);
  ASSERT_EQ(report.points.size(), 3U);
  const double expected[] = {bisected(gain, shift, -1, -0.5), bisected(gain, shift, -0.5, 0.3),
                             bisected(gain, shift, 0.3, 1)};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& point = report.points[i];
    EXPECT_NEAR(point.place[0], expected[i], 1e-12);
    EXPECT_LT(point.residual, 1e-12);
    // d/dz of the flow, in 1/s for tau = 0.1 s.
    const double slope = 1 - std::pow(std::tanh(gain * expected[i] + shift), 2);
    EXPECT_NEAR(point.linear.eigenvalues[0].real(), (gain * slope - 1) / 0.1, 1e-9);
    EXPECT_EQ(point.linear.verdict, i == 1 ? Stability::unstable : Stability::stable);
  }
  // Every start ends in one of the stable points; the unstable one, off the middle, divides them.
  EXPECT_GT(report.points[0].basin, 0.2);
  EXPECT_GT(report.points[2].basin, 0.2);
  EXPECT_EQ(report.points[1].basin, 0.0);
  EXPECT_EQ(report.points[0].basin + report.points[2].basin, 1.0);
}

TEST(NewtonFixedPoints, DeflationFindsWhatPlainStartsMiss) {
  // Starts crowd around the middle root; without the other points' deflation a single round finds few.
  config::FixedPointsOptions options;
  options.starts = 256;
  options.start_scale = 1e-3;
  options.basin_starts = 0;
  EXPECT_EQ(report_of({Activation::tanh, 0.1, single_neuron(3, 0.1)}, options).points.size(), 3U);
  options.starts = 64;  // one round: nothing is deflated yet
  EXPECT_EQ(report_of({Activation::tanh, 0.1, single_neuron(3, 0.1)}, options).points.size(), 1U) << "control";
}

TEST(NewtonFixedPoints, AgreesWithTheExactSearch) {
  std::size_t several = 0;
  for (unsigned network = 0; network < 20; ++network) {
    const LatentMap map(Activation::clipped_relu, 0.0, random_arrays(20, 2, 500 + network));
    config::FixedPointsOptions options;
    options.basin_starts = 0;
    const auto exact = report_of(map, options);
    options.method = config::FixedPointMethod::newton;
    options.starts = 256;
    const auto newton = report_of(map, options);
    EXPECT_TRUE(exact.effort.complete);
    EXPECT_LE(newton.points.size(), exact.points.size()) << "network " << network;
    for (const auto& point : newton.points) {
      const bool known = std::any_of(exact.points.begin(), exact.points.end(), [&](const FixedPoint& other) {
        return (other.place - point.place).lpNorm<Eigen::Infinity>() < 1e-8 * (1 + point.place.norm());
      });
      EXPECT_TRUE(known) << "network " << network << ": " << point.place.transpose();
    }
    several += exact.points.size() > 1 ? 1 : 0;
  }
  EXPECT_GT(several, 2U) << "control";
}

TEST(FixedPointStability, OfAMapAndOfAFlow) {
  const Eigen::MatrixXd turn = (Eigen::MatrixXd(2, 2) << 0.0, -0.9, 0.9, 0.0).finished();
  const auto map = map_stability(turn);
  EXPECT_EQ(map.verdict, Stability::stable);
  EXPECT_NEAR(std::abs(map.eigenvalues[0]), 0.9, 1e-15);
  EXPECT_GT(map.eigenvalues[0].imag(), 0);
  const Eigen::MatrixXd saddle = (Eigen::MatrixXd(2, 2) << 0.5, 0.0, 0.0, -2.0).finished();
  EXPECT_EQ(map_stability(saddle).verdict, Stability::saddle);
  EXPECT_EQ(flow_stability(saddle, 0.1).verdict, Stability::saddle);
  EXPECT_NEAR(flow_stability(saddle, 0.1).eigenvalues[0].real(), 5.0, 1e-14);
  EXPECT_EQ(flow_stability(turn, 1.0).verdict, Stability::undecided) << "a centre";
  EXPECT_EQ(map_stability(2 * Eigen::MatrixXd::Identity(2, 2)).verdict, Stability::unstable);
}

TEST(FixedPointReports, RefuseWhatCannotBeDone) {
  config::FixedPointsOptions options;
  options.method = config::FixedPointMethod::exact;
  EXPECT_THROW(report_of({Activation::tanh, 0.1, single_neuron(3, 0)}, options), ConfigurationError);
  const LatentMap many(Activation::clipped_relu, 0.0, random_arrays(100, 3, 1));
  options.max_crossings = 1e5;
  try {
    report_of(many, options);
    FAIL() << "no error";
  } catch (const ConfigurationError& error) {
    const std::string text = error.what();
    for (const auto* part : {"200 hyperplanes", "max_crossings", "newton", "rank"})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

TEST(FixedPointReports, BasinsFollowTheMap) {
  // z' = 0.5 z + relu(z) - relu(z - 2) - 0.5: stable at -1 and at 3, unstable at 1, so that starts above 1 end in 3.
  LatentMapArrays arrays;
  arrays.neurons = 2;
  arrays.left = {1, 1};
  arrays.right = {1, -1};
  arrays.shift = {0, 0};
  arrays.bias = {0, -2};
  arrays.linear = {0.5};
  arrays.offset = {-0.5};
  const auto report = report_of({Activation::relu, 0.0, arrays});
  ASSERT_EQ(report.points.size(), 3U);
  EXPECT_NEAR(report.points[0].place[0], -1, 1e-14);
  EXPECT_NEAR(report.points[1].place[0], 1, 1e-14);
  EXPECT_NEAR(report.points[2].place[0], 3, 1e-14);
  EXPECT_NEAR(report.points[0].boundary_distance, 1, 1e-14);
  // Half of the starts, by symmetry around 1; five standard errors of 1000 starts.
  EXPECT_NEAR(report.points[2].basin, 0.5, 5 * std::sqrt(0.25 / 1000));
  EXPECT_EQ(report.points[1].basin, 0.0);
  EXPECT_EQ(report.points[0].basin + report.points[2].basin, 1.0);
  EXPECT_EQ(report.basins.diverged, 0.0);
}

}  // namespace
}  // namespace rankflow::analysis
