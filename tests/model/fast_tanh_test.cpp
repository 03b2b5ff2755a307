#include "model/fast_tanh.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace rankflow::model {
namespace {

template <class T>
T tanh_of(T x) {
  alignas(64) std::array<T, xsimd::batch<T>::size> lanes;
  fast_tanh(xsimd::batch<T>(x)).store_aligned(lanes.data());
  return lanes[0];
}

/// Distance of `value` from the truth in units of the last place of the truth.
template <class T>
double ulps(T value, long double truth) {
  int exponent = 0;
  std::frexp(static_cast<double>(truth), &exponent);
  const long double ulp = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs((static_cast<long double>(value) - truth) / ulp));
}

template <class T>
class FastTanhTest : public testing::Test {};
using Precisions = testing::Types<double, float>;
TYPED_TEST_SUITE(FastTanhTest, Precisions);

TYPED_TEST(FastTanhTest, StaysWithinItsUnitsOfTheLastPlaceAndIsOdd) {
  using T = TypeParam;
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> exponent(-12.0, 1.6);
  double worst = 0;
  double worst_of_a_shifted_one = 0;
  for (int i = 0; i < 200000; ++i) {
    const T x = static_cast<T>(std::pow(10.0, exponent(generator)));
    const long double truth = std::tanh(static_cast<long double>(x));
    const T value = tanh_of(x);
    worst = std::max(worst, ulps(value, truth));
    worst_of_a_shifted_one = std::max(worst_of_a_shifted_one, ulps(value, truth * (1 + 4e-16L + 2e-7L)));
    ASSERT_EQ(tanh_of(-x), -value) << x;
    ASSERT_LE(value, T(1)) << x;
  }
  EXPECT_LT(worst, 2.7);
  EXPECT_GT(worst_of_a_shifted_one, 2.7) << "control: the measure sees a relative error of 2e-7";
}

TYPED_TEST(FastTanhTest, KeepsWhatIsSpecial) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  EXPECT_EQ(tanh_of(infinity), T(1));
  EXPECT_EQ(tanh_of(-infinity), T(-1));
  EXPECT_EQ(tanh_of(std::numeric_limits<T>::max()), T(1));
  EXPECT_TRUE(std::isnan(tanh_of(std::numeric_limits<T>::quiet_NaN())));
  EXPECT_EQ(tanh_of(T(0)), T(0));
  EXPECT_FALSE(std::signbit(tanh_of(T(0))));
  EXPECT_TRUE(std::signbit(tanh_of(T(-0.0))));
  const T tiny = std::numeric_limits<T>::min();
  EXPECT_EQ(tanh_of(tiny), tiny);
  EXPECT_NE(tanh_of(T(0.5)), T(0.5)) << "control: not the identity";
}

}  // namespace
}  // namespace rankflow::model
