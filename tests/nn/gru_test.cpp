#include "nn/gru.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "nn/gradient_check.hpp"

namespace rankflow::nn {
namespace {

using testing::Operand;
using testing::random_operand;

auto operation(std::int64_t trials) {
  return [trials](ad::Tape& tape, const auto& a) { return gru(tape, a[0], trials, a[1], {a[2], a[3], a[4], a[5]}); };
}

std::vector<Operand> operands(std::int64_t trials, std::int64_t time, std::int64_t inputs, std::int64_t hidden) {
  return {random_operand(trials * time, inputs, 1),   random_operand(trials, hidden, 2),
          random_operand(3 * hidden, inputs, 3, 0.7), random_operand(3 * hidden, hidden, 4, 0.7),
          random_operand(1, 3 * hidden, 5, 0.5),      random_operand(1, 3 * hidden, 6, 0.5)};
}

/// Row `row` of W x + b.
double affine(const Operand& weights, const Operand& bias, std::int64_t row, const double* x) {
  double sum = bias.values[static_cast<std::size_t>(row)];
  for (std::int64_t k = 0; k < weights.columns; ++k)
    sum += weights.values[static_cast<std::size_t>(row * weights.columns + k)] * x[k];
  return sum;
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

/// One trial, step by step, from the equations.
std::vector<double> oracle(const std::vector<Operand>& a, std::int64_t trial, std::int64_t time) {
  const std::int64_t n = a[1].columns;
  std::vector<double> h(a[1].values.begin() + trial * n, a[1].values.begin() + (trial + 1) * n);
  std::vector<double> all;
  for (std::int64_t t = 0; t < time; ++t) {
    const double* x = a[0].values.data() + (trial * time + t) * a[0].columns;
    std::vector<double> next;
    for (std::int64_t j = 0; j < n; ++j) {
      const double r = logistic(affine(a[2], a[4], j, x) + affine(a[3], a[5], j, h.data()));
      const double z = logistic(affine(a[2], a[4], n + j, x) + affine(a[3], a[5], n + j, h.data()));
      const double fresh = std::tanh(affine(a[2], a[4], 2 * n + j, x) + r * affine(a[3], a[5], 2 * n + j, h.data()));
      next.push_back((1 - z) * fresh + z * h[static_cast<std::size_t>(j)]);
    }
    h = next;
    all.insert(all.end(), h.begin(), h.end());
  }
  return all;
}

TEST(Gru, IsTheDefinition) {
  for (const auto& [trials, time, inputs, hidden] :
       {std::tuple{1, 1, 1, 1}, std::tuple{3, 6, 2, 5}, std::tuple{2, 4, 3, 17}}) {
    const auto a = operands(trials, time, inputs, hidden);
    const auto h = testing::values_of<double>(a, operation(trials));
    for (std::int64_t b = 0; b < trials; ++b) {
      const auto expected = oracle(a, b, time);
      for (std::size_t k = 0; k < expected.size(); ++k)
        EXPECT_NEAR(h[static_cast<std::size_t>(b) * expected.size() + k], expected[k], 1e-13);
    }
  }
}

TEST(Gru, AdjointsAreThoseOfDifferences) {
  for (const auto& [trials, time, inputs, hidden] : {std::tuple{1, 1, 2, 2}, std::tuple{3, 5, 2, 3}}) {
    const auto a = operands(trials, time, inputs, hidden);
    EXPECT_LT(testing::adjoint_error(a, operation(trials)), 1e-9);
    EXPECT_LT(testing::single_precision_error(a, operation(trials)), 1e-5);
  }
  auto fixed = operands(2, 4, 2, 3);
  for (const std::size_t k : {0, 1, 2, 4, 5}) fixed[k].differentiated = false;
  EXPECT_LT(testing::adjoint_error(fixed, operation(2)), 1e-9) << "recurrent weights alone";
}

TEST(Gru, RefusesShapesThatDoNotFit) {
  auto a = operands(2, 4, 2, 3);
  EXPECT_THROW(testing::values_of<double>(a, operation(3)), InternalError);
  a[3].columns = 2;
  EXPECT_THROW(testing::values_of<double>(a, operation(2)), InternalError);
}

}  // namespace
}  // namespace rankflow::nn
