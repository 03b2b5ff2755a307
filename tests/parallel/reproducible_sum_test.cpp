#include "parallel/reproducible_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace rankflow::parallel {
namespace {

double exact_sum(const std::vector<double>& values) {
  ExactAccumulator accumulator;
  for (const double value : values) accumulator.add(value);
  return accumulator.value();
}

TEST(ExactAccumulator, ReturnsSingleNumbersUnchanged) {
  std::mt19937_64 bits(1);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<double>(bits());
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(exact_sum({value}), value);
  }
  for (const double value : {0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.0})
    EXPECT_EQ(exact_sum({value}), value);
}

TEST(ExactAccumulator, KeepsWhatCancellationLoses) {
  EXPECT_EQ(exact_sum({1e308, 1.0, -1e308}), 1.0);
  EXPECT_EQ(exact_sum({1e308, 5e-324, -1e308}), 5e-324);
  const double plain = (1e308 + 1.0) - 1e308;
  EXPECT_NE(plain, 1.0) << "control: plain addition loses it";
}

TEST(ExactAccumulator, RoundsToNearestTiesToEven) {
  const double ulp = std::ldexp(1.0, -52);
  EXPECT_EQ(exact_sum({1.0, ulp / 2}), 1.0);
  EXPECT_EQ(exact_sum({1.0 + ulp, ulp / 2}), 1.0 + 2 * ulp);
  EXPECT_EQ(exact_sum({1.0, ulp / 2, 5e-324}), 1.0 + ulp);
  EXPECT_EQ(exact_sum({-1.0, -ulp / 2, -5e-324}), -1.0 - ulp);
  EXPECT_EQ(exact_sum({1.7976931348623157e308, 1.7976931348623157e308}), std::numeric_limits<double>::infinity());
}

TEST(ExactAccumulator, AgreesWithLongDoubleOnTwoTerms) {
  // A sum of two doubles of near exponents is exact in 64-bit mantissas, so rounding it once is the truth.
  std::mt19937_64 generator(7);
  std::uniform_real_distribution<double> uniform(-2.0, 2.0);
  for (int i = 0; i < 100000; ++i) {
    const double a = uniform(generator);
    const double b = uniform(generator);
    ASSERT_EQ(exact_sum({a, b}), a + b);
  }
}

TEST(ExactAccumulator, DoesNotDependOnOrder) {
  std::mt19937_64 generator(3);
  std::normal_distribution<double> normal;
  std::vector<double> values(10001);
  for (auto& value : values) value = std::ldexp(normal(generator), static_cast<int>(generator() % 80));
  const double sum = exact_sum(values);
  double plain = 0;
  for (const double value : values) plain += value;
  bool plain_differs = false;
  for (int i = 0; i < 20; ++i) {
    std::shuffle(values.begin(), values.end(), generator);
    EXPECT_EQ(exact_sum(values), sum);
    double shuffled = 0;
    for (const double value : values) shuffled += value;
    plain_differs |= shuffled != plain;
  }
  EXPECT_TRUE(plain_differs) << "control: plain summation depends on order";
}

TEST(ExactAccumulator, CarriesOfManyEqualSigns) {
  ExactAccumulator accumulator;
  const std::int64_t count = 1 << 20;
  for (std::int64_t i = 0; i < count; ++i) accumulator.add(-0.1);
  // 2^20 times the double nearest to 0.1 is exact: only the exponent changes.
  EXPECT_EQ(accumulator.value(), -0.1 * static_cast<double>(count));
}

TEST(ExactAccumulator, NonFiniteSummandsBehaveLikeIeee) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(exact_sum({1.0, infinity}), infinity);
  EXPECT_EQ(exact_sum({1.0, -infinity}), -infinity);
  EXPECT_TRUE(std::isnan(exact_sum({infinity, -infinity})));
  EXPECT_TRUE(std::isnan(exact_sum({1.0, std::nan("")})));
}

TEST(ExactAccumulator, SettledLimbsHaveOneSignAndCoverTheNumberOnly) {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  for (int repeat = 0; repeat < 1000; ++repeat) {
    ExactAccumulator accumulator;
    for (int i = 0; i < 10; ++i)
      accumulator.add(std::ldexp(normal(generator), static_cast<int>(generator() % 200) - 100));
    const double value = accumulator.value();
    accumulator.settle();
    EXPECT_EQ(accumulator.value(), value) << "settling keeps the number";
    const auto limbs = accumulator.words().first<ExactAccumulator::limb_count>();
    for (const auto limb : limbs) ASSERT_TRUE(value < 0 ? limb <= 0 : limb >= 0);
    for (const auto limb : limbs) ASSERT_LT(std::abs(limb), std::int64_t{1} << 32);
    // 2^105 is bit 1179 of the number, in limb 36; 2^-170 is bit 904, in limb 28.
    for (std::size_t i = 0; i < limbs.size(); ++i) ASSERT_TRUE((i >= 28 && i <= 36) || limbs[i] == 0) << i;
  }
  ExactAccumulator negative;
  negative.add(-1.0);
  EXPECT_EQ(std::ranges::count_if(negative.words(), [](std::int64_t word) { return word != 0; }), 1)
      << "a negative number fills no limbs above its own";
}

TEST(ReproducibleSum, ClearsAfterReduction) {
  ReproducibleSum sum(2);
  std::vector<double> values(2);
  sum.add(0, 1.5);
  sum.add(1, -2.0);
  sum.reduce(Communicator(), values);
  EXPECT_EQ(values, (std::vector<double>{1.5, -2.0}));
  sum.add(1, 3.0);
  sum.reduce(Communicator(), values);
  EXPECT_EQ(values, (std::vector<double>{0.0, 3.0}));
}

}  // namespace
}  // namespace rankflow::parallel
