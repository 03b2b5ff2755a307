// Dense layers, convolutions and nonlinearities.
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "nn/conv1d.hpp"
#include "nn/dense.hpp"
#include "nn/gradient_check.hpp"
#include "nn/nonlinearity.hpp"

namespace rankflow::nn {
namespace {

using testing::adjoint_error;
using testing::Operand;
using testing::random_operand;
using testing::single_precision_error;

// Adjoints against differences: see adjoint_error; here with objectives of up to 1e3. Single precision: sums of up to
// 100 products of order 1, each rounded by 6e-8.
constexpr double adjoint_tolerance = 1e-9;
constexpr double value_tolerance = 1e-13;
constexpr double single_tolerance = 6e-6;

constexpr auto dense_operation = [](ad::Tape& tape, const auto& a) { return dense(tape, a[0], a[1], a[2]); };

double at(const Operand& operand, std::int64_t row, std::int64_t column) {
  return operand.values[static_cast<std::size_t>(row * operand.columns + column)];
}

TEST(GradientCheck, FindsAWrongAdjoint) {
  const std::vector<Operand> operands{random_operand(2, 5, 1)};
  const auto square = [](double factor) {
    return [factor](ad::Tape& tape, const auto& a) {
      const auto x = a[0];
      auto y = tape.array<double>(x.rows, x.columns);
      for (std::int64_t k = 0; k < x.size(); ++k) y.value[k] = x.value[k] * x.value[k];
      tape.record([=] {
        for (std::int64_t k = 0; k < x.size(); ++k) x.adjoint[k] += factor * x.value[k] * y.adjoint[k];
      });
      return y;
    };
  };
  EXPECT_LT(adjoint_error(operands, square(2.0)), 1e-11);
  EXPECT_GT(adjoint_error(operands, square(2.001)), 1e-4) << "control";
}

TEST(Dense, IsTheProductAndTheBias) {
  for (const auto& [samples, inputs, outputs] :
       {std::tuple{1, 1, 1}, std::tuple{1, 7, 5}, std::tuple{9, 1, 2}, std::tuple{6, 3, 1}, std::tuple{12, 33, 17}}) {
    const std::vector<Operand> operands{random_operand(samples, inputs, 1), random_operand(outputs, inputs, 2),
                                        random_operand(1, outputs, 3)};
    const auto y = testing::values_of<double>(operands, dense_operation);
    for (std::int64_t i = 0; i < samples; ++i)
      for (std::int64_t o = 0; o < outputs; ++o) {
        double expected = at(operands[2], 0, o);
        for (std::int64_t k = 0; k < inputs; ++k) expected += at(operands[0], i, k) * at(operands[1], o, k);
        EXPECT_NEAR(y[static_cast<std::size_t>(i * outputs + o)], expected, value_tolerance * 10);
      }
    EXPECT_LT(adjoint_error(operands, dense_operation), adjoint_tolerance);
    EXPECT_LT(single_precision_error(operands, dense_operation), single_tolerance);
  }
}

TEST(Dense, BiasMayBeAbsentAndOperandsFixed) {
  const std::vector<Operand> operands{testing::constant(random_operand(4, 3, 1)), random_operand(2, 3, 2)};
  const auto without_bias = [](ad::Tape& tape, const auto& a) {
    return dense(tape, a[0], a[1], typename std::decay_t<decltype(a)>::value_type{});
  };
  EXPECT_LT(adjoint_error(operands, without_bias), adjoint_tolerance);
}

TEST(Dense, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(testing::values_of<double>({random_operand(4, 3, 1), random_operand(2, 4, 2), random_operand(1, 2, 3)},
                                          dense_operation),
               InternalError);
  EXPECT_THROW(testing::values_of<double>({random_operand(4, 3, 1), random_operand(2, 3, 2), random_operand(1, 3, 3)},
                                          dense_operation),
               InternalError);
}

struct ConvolutionCase {
  std::int64_t trials, time, inputs, outputs, width;
  Padding padding;
};

auto convolution(const ConvolutionCase& c) {
  return [c](ad::Tape& tape, const auto& a) { return conv1d(tape, a[0], c.trials, a[1], a[2], c.width, c.padding); };
}

std::vector<Operand> convolution_operands(const ConvolutionCase& c) {
  return {random_operand(c.trials * c.time, c.inputs, 1), random_operand(c.outputs * c.width, c.inputs, 2),
          random_operand(1, c.outputs, 3)};
}

/// The definition: x outside the trial is 0.
double convolution_oracle(const std::vector<Operand>& operands, const ConvolutionCase& c, std::int64_t trial,
                          std::int64_t t, std::int64_t output) {
  const std::int64_t start = c.padding == Padding::valid    ? 0
                             : c.padding == Padding::causal ? c.width - 1
                                                            : (c.width - 1) / 2;
  double sum = at(operands[2], 0, output);
  for (std::int64_t k = 0; k < c.width; ++k) {
    const std::int64_t source = t + k - start;
    if (source < 0 || source >= c.time) continue;
    for (std::int64_t i = 0; i < c.inputs; ++i)
      sum += at(operands[1], output * c.width + k, i) * at(operands[0], trial * c.time + source, i);
  }
  return sum;
}

TEST(Conv1d, IsTheDefinition) {
  for (const auto padding : {Padding::valid, Padding::centred, Padding::causal})
    for (const auto& c : {ConvolutionCase{1, 5, 1, 1, 1, padding}, ConvolutionCase{3, 12, 4, 5, 3, padding},
                          ConvolutionCase{2, 9, 2, 1, 4, padding}, ConvolutionCase{2, 5, 3, 2, 5, padding},
                          ConvolutionCase{2, 30, 17, 20, 7, padding}}) {
      const auto operands = convolution_operands(c);
      const auto y = testing::values_of<double>(operands, convolution(c));
      const auto out_time = conv1d_length(c.time, c.width, padding);
      ASSERT_EQ(std::ssize(y), c.trials * out_time * c.outputs);
      std::size_t position = 0;
      for (std::int64_t b = 0; b < c.trials; ++b)
        for (std::int64_t t = 0; t < out_time; ++t)
          for (std::int64_t o = 0; o < c.outputs; ++o)
            EXPECT_NEAR(y[position++], convolution_oracle(operands, c, b, t, o), 50 * value_tolerance);
      if (c.inputs < 10) {
        EXPECT_LT(adjoint_error(operands, convolution(c)), adjoint_tolerance);
      }
      EXPECT_LT(single_precision_error(operands, convolution(c)), 2 * single_tolerance);
    }
}

TEST(Conv1d, PaddedWiderThanTheTrialIsStillTheDefinition) {
  for (const auto padding : {Padding::centred, Padding::causal}) {
    const ConvolutionCase c{2, 3, 2, 2, 9, padding};
    const auto operands = convolution_operands(c);
    const auto y = testing::values_of<double>(operands, convolution(c));
    EXPECT_NEAR(y[2 * 2 + 1], convolution_oracle(operands, c, 0, 2, 1), 10 * value_tolerance);
    EXPECT_LT(adjoint_error(operands, convolution(c)), adjoint_tolerance);
  }
}

TEST(Conv1d, BitsDoNotDependOnTheNumberOfTrials) {
  const ConvolutionCase many{5, 31, 6, 9, 5, Padding::centred};
  auto operands = convolution_operands(many);
  const auto all = testing::values_of<float>(operands, convolution(many));
  auto one = many;
  one.trials = 1;
  operands[0].values.erase(operands[0].values.begin(), operands[0].values.begin() + 3 * 31 * 6);
  operands[0].values.resize(31 * 6);
  operands[0].rows = 31;
  const auto fourth = testing::values_of<float>(operands, convolution(one));
  EXPECT_TRUE(std::equal(fourth.begin(), fourth.end(), all.begin() + 3 * 31 * 9));
  EXPECT_FALSE(std::equal(fourth.begin(), fourth.end(), all.begin())) << "control";
}

TEST(Conv1d, RefusesShapesThatDoNotFit) {
  const ConvolutionCase wide{2, 4, 2, 2, 5, Padding::valid};
  EXPECT_THROW(testing::values_of<double>(convolution_operands(wide), convolution(wide)), InternalError);
  ConvolutionCase uneven{2, 4, 2, 2, 3, Padding::valid};
  const auto operands = convolution_operands(uneven);
  uneven.trials = 3;
  EXPECT_THROW(testing::values_of<double>(operands, convolution(uneven)), InternalError);
}

auto nonlinearity(Nonlinearity kind) {
  return [kind](ad::Tape& tape, const auto& a) { return activate(tape, a[0], kind); };
}

double nonlinearity_oracle(Nonlinearity kind, double x) {
  switch (kind) {
    case Nonlinearity::gelu:
      return x * std::erfc(-x / std::numbers::sqrt2) / 2;
    case Nonlinearity::relu:
      return x > 0 ? x : 0;
    case Nonlinearity::silu:
      return x / (1 + std::exp(-x));
    case Nonlinearity::tanh:
      return std::tanh(x);
  }
  return std::nan("");
}

TEST(Nonlinearity, IsTheDefinition) {
  for (const auto kind : {Nonlinearity::gelu, Nonlinearity::relu, Nonlinearity::silu, Nonlinearity::tanh}) {
    const std::vector<Operand> operands{random_operand(7, 5, 4, 2.0)};
    const auto y = testing::values_of<double>(operands, nonlinearity(kind));
    for (std::size_t k = 0; k < y.size(); ++k)
      EXPECT_NEAR(y[k], nonlinearity_oracle(kind, operands[0].values[k]), value_tolerance);
    // Differences of step h see the kink of relu within 2 h of 0; these numbers have none so near.
    for (const double value : operands[0].values) ASSERT_GT(std::abs(value), 2e-3);
    EXPECT_LT(adjoint_error(operands, nonlinearity(kind)), adjoint_tolerance);
    EXPECT_LT(single_precision_error(operands, nonlinearity(kind)), single_tolerance);
  }
}

TEST(Nonlinearity, LargeArgumentsAndNaN) {
  const double big = 200.0;
  const Operand extremes{1, 3, {-big, big, std::nan("")}};
  for (const auto kind : {Nonlinearity::gelu, Nonlinearity::relu, Nonlinearity::silu, Nonlinearity::tanh}) {
    const auto y = testing::values_of<float>({extremes}, nonlinearity(kind));
    EXPECT_NEAR(y[0], kind == Nonlinearity::tanh ? -1.0 : 0.0, 1e-6);
    EXPECT_NEAR(y[1], kind == Nonlinearity::tanh ? 1.0 : big, 1e-6);
    EXPECT_TRUE(std::isnan(y[2]));
    const auto adjoint = testing::adjoints_of<float>({extremes}, nonlinearity(kind))[0];
    EXPECT_TRUE(std::isfinite(adjoint[0]) && std::isfinite(adjoint[1]));
  }
}

}  // namespace
}  // namespace rankflow::nn
