#include "nn/densities.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "nn/gradient_check.hpp"

namespace rankflow::nn {
namespace {

using testing::constant;
using testing::Operand;
using testing::random_operand;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double adjoint_tolerance = 1e-9;
constexpr double value_tolerance = 1e-12;
constexpr double single_tolerance = 2e-5;  // sums of 20 terms of order 10 in single precision

double at(const Operand& operand, std::int64_t row, std::int64_t column) {
  return operand.values[static_cast<std::size_t>((operand.rows == 1 ? 0 : row) * operand.columns + column)];
}

constexpr auto gaussian = [](ad::Tape& tape, const auto& a) { return gaussian_log_density(tape, a[0], a[1], a[2]); };

double log_normal(double x, double mean, double deviation) {
  return std::log(std::exp(-std::pow((x - mean) / deviation, 2) / 2) / (deviation * std::sqrt(2 * std::numbers::pi)));
}

TEST(GaussianDensity, IsTheDefinitionWithAnyOperandShared) {
  for (const std::int64_t columns : {1, 3, 20})
    for (int shared = 0; shared < 8; ++shared) {
      const std::int64_t rows = 4;
      const auto rows_of = [&](int bit) { return (shared & bit) != 0 ? 1 : rows; };
      std::vector<Operand> a{random_operand(rows_of(1), columns, 1), random_operand(rows_of(2), columns, 2),
                             random_operand(rows_of(4), columns, 3, 0.3)};
      if (columns > 1) a[0].values[1] = nan;
      const auto density = testing::values_of<double>(a, gaussian);
      for (std::size_t i = 0; i < density.size(); ++i) {
        double expected = 0;
        for (std::int64_t c = 0; c < columns; ++c) {
          const auto row = static_cast<std::int64_t>(i);
          if (!std::isnan(at(a[0], row, c)))
            expected += log_normal(at(a[0], row, c), at(a[1], row, c), std::exp(at(a[2], row, c)));
        }
        EXPECT_NEAR(density[i], expected, value_tolerance * 10);
      }
      EXPECT_LT(testing::adjoint_error(a, gaussian), adjoint_tolerance);
      EXPECT_LT(testing::single_precision_error(a, gaussian), single_tolerance);
    }
}

TEST(GaussianDensity, MissingObservationsHaveNoAdjoint) {
  std::vector<Operand> a{random_operand(3, 4, 1), random_operand(3, 4, 2), random_operand(3, 4, 3, 0.3)};
  for (const std::size_t k : {4, 5, 6, 7}) a[0].values[k] = nan;
  EXPECT_EQ(testing::values_of<double>(a, gaussian)[1], 0.0);
  const auto adjoints = testing::adjoints_of<double>(a, gaussian);
  for (const auto& adjoint : adjoints) {
    for (const std::size_t k : {4, 5, 6, 7}) EXPECT_EQ(adjoint[k], 0.0);
    EXPECT_NE(adjoint[3], 0.0) << "control";
  }
}

constexpr auto full = [](ad::Tape& tape, const auto& a) { return gaussian_log_density_full(tape, a[0], a[1], a[2]); };

/// log N(x; mean, L L^T) of the observed part, by Gaussian elimination on its covariance.
double full_oracle(const std::vector<Operand>& a, std::int64_t row) {
  const std::int64_t size = a[0].columns;
  const auto entry = [&](std::int64_t i, std::int64_t j) {
    const double value = at(a[2], 0, triangle_index(i, j));
    return i == j ? std::exp(value) : value;
  };
  std::vector<std::vector<double>> system;  // covariance | deviation
  for (std::int64_t i = 0; i < size; ++i) {
    if (std::isnan(at(a[0], row, i))) continue;
    system.emplace_back();
    for (std::int64_t j = 0; j < size; ++j) {
      if (std::isnan(at(a[0], row, j))) continue;
      double covariance = 0;
      for (std::int64_t k = 0; k <= std::min(i, j); ++k) covariance += entry(i, k) * entry(j, k);
      system.back().push_back(covariance);
    }
    system.back().push_back(at(a[0], row, i) - at(a[1], row, i));
  }
  double result = 0;
  const std::size_t observed = system.size();
  for (std::size_t p = 0; p < observed; ++p) {
    const double pivot = system[p][p];
    result -= (std::log(2 * std::numbers::pi * pivot) + system[p][observed] * system[p][observed] / pivot) / 2;
    for (std::size_t i = p + 1; i < observed; ++i) {
      const double factor = system[i][p] / pivot;
      for (std::size_t j = p; j <= observed; ++j) system[i][j] -= factor * system[p][j];
    }
  }
  return result;
}

TEST(FullGaussianDensity, IsTheDefinitionAlsoOfWhatIsObserved) {
  for (const std::int64_t size : {1, 2, 5})
    for (const bool one_mean : {false, true}) {
      std::vector<Operand> a{random_operand(6, size, 1), random_operand(one_mean ? 1 : 6, size, 2),
                             random_operand(1, triangle_size(size), 3, 0.5)};
      if (size > 1) {
        a[0].values[0] = nan;                                       // row 0 lacks its first
        a[0].values[static_cast<std::size_t>(2 * size - 1)] = nan;  // row 1 lacks its last
        for (std::int64_t k = 0; k < size; ++k) a[0].values[static_cast<std::size_t>(3 * size + k)] = nan;  // row 3 all
      }
      const auto density = testing::values_of<double>(a, full);
      for (std::size_t i = 0; i < density.size(); ++i)
        EXPECT_NEAR(density[i], full_oracle(a, static_cast<std::int64_t>(i)), value_tolerance * 100);
      EXPECT_LT(testing::adjoint_error(a, full), adjoint_tolerance);
      EXPECT_LT(testing::single_precision_error(a, full), 5 * single_tolerance);
    }
}

TEST(FullGaussianDensity, DiagonalTriangleIsTheDiagonalDensity) {
  std::vector<Operand> a{random_operand(3, 4, 1), random_operand(3, 4, 2), random_operand(1, 4, 3, 0.3)};
  auto b = a;
  b[2] = {1, triangle_size(4), std::vector<double>(static_cast<std::size_t>(triangle_size(4)), 0.0)};
  for (std::int64_t i = 0; i < 4; ++i)
    b[2].values[static_cast<std::size_t>(triangle_index(i, i))] = a[2].values[static_cast<std::size_t>(i)];
  const auto diagonal = testing::values_of<double>(a, gaussian);
  const auto triangular = testing::values_of<double>(b, full);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(diagonal[i], triangular[i], value_tolerance * 10);
  b[2].values[1] = 0.1;
  EXPECT_GT(std::abs(testing::values_of<double>(b, full)[0] - diagonal[0]), 1e-4) << "control";
}

auto poisson(config::Link link) {
  return [link](ad::Tape& tape, const auto& a) { return poisson_log_density(tape, a[0], a[1], link); };
}

double linked_mean(config::Link link, double s) {
  switch (link) {
    case config::Link::exponential:
      return std::exp(s);
    case config::Link::softplus:
      return std::log(1 + std::exp(s)) + 1e-6;
    case config::Link::relu:
      return (s > 0 ? s : 0) + 1e-6;
    case config::Link::identity:
      break;
  }
  return s;
}

Operand counts(std::int64_t rows, std::int64_t columns) {
  auto operand = constant(random_operand(rows, columns, 9, 3.0, 2.0));
  for (auto& value : operand.values) value = std::max(0.0, std::floor(value));
  return operand;
}

TEST(PoissonDensity, IsTheDefinitionForEveryLink) {
  for (const auto link :
       {config::Link::identity, config::Link::exponential, config::Link::softplus, config::Link::relu})
    for (const std::int64_t columns : {1, 3, 20})
      for (const bool one_row : {false, true}) {
        std::vector<Operand> a{counts(one_row ? 1 : 5, columns), random_operand(5, columns, 4)};
        // Away from 0, where the identity is no mean and the slope of relu jumps; differences reach 2e-3 around.
        for (auto& s : a[1].values) s = link == config::Link::identity || s > 0 ? 0.5 + std::abs(s) : s - 0.1;
        if (columns > 1) a[0].values[1] = nan;
        const auto density = testing::values_of<double>(a, poisson(link));
        for (std::size_t i = 0; i < density.size(); ++i) {
          double expected = 0;
          for (std::int64_t c = 0; c < columns; ++c) {
            const double k = at(a[0], static_cast<std::int64_t>(i), c);
            const double mean = linked_mean(link, at(a[1], static_cast<std::int64_t>(i), c));
            if (!std::isnan(k)) expected += k * std::log(mean) - mean - std::lgamma(k + 1);
          }
          EXPECT_NEAR(density[i], expected, value_tolerance * std::max(1.0, std::abs(expected)));
        }
        EXPECT_LT(testing::adjoint_error(a, poisson(link)), adjoint_tolerance);
        EXPECT_LT(testing::single_precision_error(a, poisson(link)), single_tolerance);
      }
}

TEST(PoissonDensity, MassesAddToOne) {
  for (const auto link : {config::Link::exponential, config::Link::softplus, config::Link::relu}) {
    Operand all{40, 1, std::vector<double>(40), false};
    for (std::size_t k = 0; k < 40; ++k) all.values[k] = static_cast<double>(k);
    double sum = 0;
    for (const double log_mass : testing::values_of<double>({all, {1, 1, {1.2}}}, poisson(link)))
      sum += std::exp(log_mass);
    EXPECT_NEAR(sum, 1.0, 1e-12);
  }
}

TEST(PoissonDensity, ZeroCountsAtZeroMean) {
  const std::vector<Operand> a{{1, 2, {0.0, 1.0}, false}, {1, 2, {0.0, 1.0}}};
  EXPECT_EQ(testing::values_of<double>(a, poisson(config::Link::identity))[0], -1.0);
  EXPECT_EQ(testing::adjoints_of<double>(a, poisson(config::Link::identity))[1][0], -testing::weight(0));
  const std::vector<Operand> impossible{{1, 1, {1.0}, false}, {1, 1, {0.0}}};
  EXPECT_FALSE(std::isfinite(testing::values_of<double>(impossible, poisson(config::Link::identity))[0]));
}

TEST(Densities, RefuseShapesThatDoNotFit) {
  EXPECT_THROW(
      testing::values_of<double>({random_operand(3, 4, 1), random_operand(2, 4, 2), random_operand(1, 4, 3)}, gaussian),
      InternalError);
  EXPECT_THROW(
      testing::values_of<double>({random_operand(3, 4, 1), random_operand(3, 4, 2), random_operand(1, 9, 3)}, full),
      InternalError);
  EXPECT_THROW(testing::values_of<double>({counts(3, 4), random_operand(3, 5, 2)}, poisson(config::Link::exponential)),
               InternalError);
}

}  // namespace
}  // namespace rankflow::nn
