#include "flow/velocity_pass.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "core/error.hpp"
#include "flow/flow_support.hpp"
#include "flow/path.hpp"
#include "flow/sigmoid.hpp"

namespace rankflow::flow {
namespace {

using testing::network_of;
using testing::normal_numbers;

/// The definition, one number at a time.
std::vector<double> velocity_by_definition(const VelocityNetwork& network, std::span<const double> parameters,
                                           std::vector<double> x) {
  for (std::int64_t layer = 0; layer < network.layers(); ++layer) {
    const auto weights = network.layout().part(parameters, network.weights(layer));
    const auto biases = network.layout().part(parameters, network.biases(layer));
    std::vector<double> y(biases.begin(), biases.end());
    for (std::size_t o = 0; o < y.size(); ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) y[o] += weights[o * x.size() + i] * x[i];
      if (layer + 1 < network.layers()) y[o] /= 1 + std::exp(-y[o]);
    }
    x = y;
  }
  return x;
}

std::vector<double> with_time(std::vector<double> row, double t, std::int64_t frequencies) {
  row.push_back(t);
  for (std::int64_t k = 1; k <= frequencies; ++k) {
    row.push_back(std::cos(std::numbers::pi * static_cast<double>(k) * t));
    row.push_back(std::sin(std::numbers::pi * static_cast<double>(k) * t));
  }
  return row;
}

struct Shape {
  std::int64_t variables, conditions, layers, width, frequencies;
};

/// Widths that fit tiles and that do not.
const std::vector<Shape> shapes = {{2, 0, 4, 128, 0}, {3, 2, 2, 20, 2}, {1, 0, 1, 5, 0}, {17, 1, 2, 48, 1}};

template <class T>
struct Case {
  VelocityNetwork network;
  std::vector<double> parameters;
  std::vector<std::vector<double>> rows;  ///< x and condition
  std::vector<double> times;
  VelocityPass<T> pass;
  PackedWeights<T> weights;

  Case(const Shape& shape, std::int64_t count)
      : network(network_of(shape.layers, shape.width, shape.frequencies), shape.variables, shape.conditions),
        parameters(network.initial_parameters(3)),
        pass(network, count, true),
        weights(network, true) {
    for (std::int64_t row = 0; row < count; ++row) {
      rows.push_back(normal_numbers(static_cast<std::size_t>(shape.variables + shape.conditions),
                                    static_cast<std::uint64_t>(row)));
      times.push_back(static_cast<double>(row + 1) / static_cast<double>(count + 1));
    }
    load();
  }
  void load() { weights.load(std::vector<T>(parameters.begin(), parameters.end())); }
  void set_row(std::int64_t at, std::size_t row) {
    std::ranges::transform(rows[row], pass.input(at), [](double value) { return static_cast<T>(value); });
    pass.set_time(at, times[row]);
  }
  void forward() {
    for (std::size_t row = 0; row < rows.size(); ++row) set_row(static_cast<std::int64_t>(row), row);
    pass.forward(weights, std::ssize(rows));
  }
};

template <class T>
double worst_error(Case<T>& test) {
  test.forward();
  double worst = 0;
  for (std::size_t row = 0; row < test.rows.size(); ++row) {
    const auto expected = velocity_by_definition(
        test.network, test.parameters, with_time(test.rows[row], test.times[row], test.network.time_frequencies()));
    for (std::size_t v = 0; v < expected.size(); ++v)
      worst = std::max(
          worst, std::abs(expected[v] - static_cast<double>(test.pass.output(static_cast<std::int64_t>(row))[v])));
  }
  return worst;
}

TEST(VelocityPass, ComputesTheNetworkByItsDefinition) {
  for (const auto& shape : shapes) {
    Case<double> exact(shape, 7);
    // Some hundred roundings of numbers of order 1.
    EXPECT_LT(worst_error(exact), 1e-13) << shape.width;
    Case<float> single(shape, 7);
    EXPECT_LT(worst_error(single), 1e-5) << shape.width;
    exact.parameters[0] += 1e-3;
    EXPECT_GT(worst_error(exact), 1e-9) << "control: weights that were not loaded";
  }
}

TEST(VelocityPass, ARowDoesNotDependOnOthersNorOnItsPlace) {
  Case<float> all(shapes[0], 23);
  all.forward();
  Case<float> alone(shapes[0], 23);
  for (std::size_t row = 0; row < 23; ++row) {
    alone.set_row(0, row);
    alone.pass.forward(alone.weights, 1);
    const auto at = static_cast<std::int64_t>(row);
    EXPECT_EQ(alone.pass.output(0)[0], all.pass.output(at)[0]);
    EXPECT_NE(alone.pass.output(0)[0], all.pass.output((at + 1) % 23)[0]) << "control";
  }
}

/// sum over rows and variables of weight * velocity, and its gradient against central differences.
double weight_of(std::int64_t row, std::int64_t v) {
  return std::sin(1.3 * static_cast<double>(row) + 0.7 * static_cast<double>(v) + 0.2);
}

TEST(VelocityPass, GradientsAgreeWithDifferences) {
  for (const auto& shape : shapes) {
    Case<double> test(shape, 6);
    const auto objective = [&] {
      test.load();
      test.forward();
      double sum = 0;
      for (std::int64_t row = 0; row < 6; ++row)
        for (std::int64_t v = 0; v < shape.variables; ++v) sum += weight_of(row, v) * test.pass.output(row)[v];
      return sum;
    };
    objective();
    for (std::int64_t row = 0; row < 6; ++row)
      for (std::int64_t v = 0; v < shape.variables; ++v) test.pass.output_adjoint(row)[v] = weight_of(row, v);
    std::vector<double> gradient(test.parameters.size(), std::nan(""));
    test.pass.backward(test.weights, 6, gradient);
    // Fourth order: h^4 + 1e-16 / h with derivatives of order 1.
    constexpr double h = 1e-3;
    double scale = 0;
    for (std::size_t i = 0; i < gradient.size(); i += 1 + gradient.size() / 150) {
      const double kept = test.parameters[i];
      const auto at = [&](double shift) {
        test.parameters[i] = kept + shift;
        return objective();
      };
      const double slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      test.parameters[i] = kept;
      EXPECT_NEAR(gradient[i], slope, 2e-11) << test.network.layout().describe(static_cast<std::int64_t>(i));
      scale = std::max(scale, std::abs(slope));
    }
    EXPECT_GT(scale, 1e-2) << "control: the parameters matter";
    for (const double value : gradient) ASSERT_TRUE(std::isfinite(value)) << "a derivative was not written";
  }
}

template <class T>
double sigmoid_error(double from, double to) {
  using Batch = xsimd::batch<T>;
  double worst = 0;
  for (int i = 0; i <= 20000; ++i) {
    const auto x = static_cast<T>(from + (to - from) * i / 20000);
    const auto found = static_cast<double>(fast_sigmoid(Batch(x)).get(0));
    worst = std::max(worst, std::abs(found - 1 / (1 + std::exp(-static_cast<double>(x)))));
  }
  return worst;
}

TEST(Sigmoid, IsThatOfTheStandardLibrary) {
  EXPECT_LT(sigmoid_error<double>(-40, 40), 3 * 0x1p-53);
  EXPECT_LT(sigmoid_error<float>(-40, 40), 3 * 0x1p-24);
  EXPECT_LT(sigmoid_error<float>(-3e38, 3e38), 3 * 0x1p-24);
  EXPECT_LT(sigmoid_error<double>(-1e300, 1e300), 3 * 0x1p-53);
  EXPECT_GT(sigmoid_error<float>(-40, 40), 0x1p-53) << "control: single precision rounds";
  EXPECT_TRUE(std::isnan(fast_sigmoid(xsimd::batch<float>(std::nanf(""))).get(0)));
}

TEST(VelocityNetwork, StartsUniformWithinTheReachOfItsInputs) {
  const VelocityNetwork network(network_of(4, 128), 2, 3);
  EXPECT_EQ(network.layout().total(), 128 * 6 + 128 + 3 * (128 * 128 + 128) + 2 * 128 + 2);
  const auto start = network.initial_parameters(1);
  const auto weights = network.layout().part(std::span(start), network.weights(1));
  const double reach = 1 / std::sqrt(128.0);
  double squares = 0;
  for (const double value : weights) {
    EXPECT_LT(std::abs(value), reach);
    squares += value * value / static_cast<double>(weights.size());
  }
  // Variance of a uniform number: reach^2 / 3; its estimate from n numbers is off by sqrt(4 / 5 / n) of it.
  EXPECT_NEAR(squares * 3 / (reach * reach), 1.0, 5 * std::sqrt(0.8 / static_cast<double>(weights.size())));
  EXPECT_EQ(network.initial_parameters(1), start);
  EXPECT_NE(network.initial_parameters(2), start) << "control";
  EXPECT_THROW(VelocityNetwork(network_of(4, 128), 0, 3), InternalError);
}

TEST(Path, LeadsFromNoiseToSamplesWithTheVelocityItStates) {
  using config::PathKind;
  for (const auto kind : {PathKind::conditional_ot, PathKind::linear, PathKind::variance_preserving}) {
    const double left = kind == PathKind::conditional_ot ? 0.1 : 0.0;
    const Path path(kind, left);
    EXPECT_NEAR(path.at(0).sample, 0.0, 1e-15);
    EXPECT_NEAR(path.at(0).noise, 1.0, 1e-15);
    EXPECT_NEAR(path.at(1).sample, 1.0, 1e-15);
    EXPECT_NEAR(path.at(1).noise, left, 1e-15);
    constexpr double h = 1e-4;
    for (const double t : {0.1, 0.5, 0.83}) {
      // Second order: h^2 / 6 times the third derivative, below (pi / 2)^3.
      EXPECT_NEAR((path.at(t + h).sample - path.at(t - h).sample) / (2 * h), path.at(t).sample_velocity, 1e-8);
      EXPECT_NEAR((path.at(t + h).noise - path.at(t - h).noise) / (2 * h), path.at(t).noise_velocity, 1e-8);
    }
  }
  const auto preserving = Path(PathKind::variance_preserving, 0).at(0.3);
  EXPECT_NEAR(preserving.sample * preserving.sample + preserving.noise * preserving.noise, 1.0, 1e-14);
  const auto straight = Path(PathKind::linear, 0).at(0.3);
  EXPECT_LT(straight.sample * straight.sample + straight.noise * straight.noise, 0.9) << "control";
}

}  // namespace
}  // namespace rankflow::flow
