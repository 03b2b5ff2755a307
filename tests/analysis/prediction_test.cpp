#include "analysis/prediction.hpp"

#include <gtest/gtest.h>

#include "analysis/analysis_support.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

TEST(RSquared, IsOneForTheTruthAndZeroForTheMean) {
  const auto observed = normal_series(2, 30, 2, 1);
  EXPECT_EQ(r_squared(observed, observed).all, 1);
  const Series one{1, 3, 1, {1, 2, 3}};
  EXPECT_NEAR(r_squared(one, {1, 3, 1, {2, 2, 2}}).all, 0, 1e-15);
  EXPECT_NEAR(r_squared(one, {1, 3, 1, {3, 2, 1}}).all, -3, 1e-14);
}

TEST(RSquared, IsTheShareOfVarianceOfKnownNoise) {
  // x = s + e with s of variance 4 and e of variance 1, predicted by s: 0.8. The ratio of sums of n squares has a
  // relative deviation of about sqrt(2/n) each.
  const std::int64_t n = 40000;
  auto signal = normal_series(1, n, 1, 1);
  auto observed = normal_series(1, n, 1, 2);
  for (std::size_t i = 0; i < observed.values.size(); ++i) {
    signal.values[i] *= 2;
    observed.values[i] += signal.values[i];
  }
  const auto found = r_squared(observed, signal);
  EXPECT_NEAR(found.all, 0.8, 4.5 * 0.2 * std::sqrt(2 * 2.0 / static_cast<double>(n)));
  EXPECT_EQ(found.samples, n);
}

TEST(RSquared, LeavesMissingSamplesOut) {
  const Series observed{1, 4, 2, {1, 1, 2, missing, 3, 5, 9, 3}}, predicted{1, 4, 2, {1, 1, 3, 7, 3, 4, missing, 3}};
  const auto found = r_squared(observed, predicted);
  EXPECT_EQ(found.samples, 6);
  EXPECT_NEAR(found.channels[0], 1 - 1.0 / 2, 1e-15);
  EXPECT_NEAR(found.channels[1], 1 - 1.0 / 8, 1e-15);
  EXPECT_NEAR(found.all, 1 - 2.0 / 10, 1e-15);
  EXPECT_TRUE(std::isnan(r_squared(single({1, 1}), single({0, 1})).all));
}

TEST(ForecastRSquared, IsThatOfEachHorizon) {
  const auto observed = single({1, 2, 4, 8});
  const std::vector<double> forecasts{missing, 2, 4, 7, missing, missing, 1, 8};
  const auto found = forecast_r_squared(observed, forecasts);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].all, r_squared(observed, single({missing, 2, 4, 7})).all);
  EXPECT_EQ(found[1].all, r_squared(observed, single({missing, missing, 1, 8})).all);
  EXPECT_NE(found[0].all, found[1].all);
  EXPECT_THROW(forecast_r_squared(observed, std::vector<double>(5)), InternalError);
}

}  // namespace
}  // namespace rankflow::analysis
