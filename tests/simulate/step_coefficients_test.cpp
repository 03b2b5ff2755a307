#include "simulate/step_coefficients.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "simulate/schedule.hpp"

namespace rankflow::simulate {
namespace {

using config::Method;

TEST(StepCoefficients, ExponentialEulerIsExactForLeakAndNoise) {
  const double h = 0.3;
  const double tau = 0.7;
  const double leak = 1.3;
  const auto c = step_coefficients(Method::exponential_euler, h, tau, leak, std::nullopt);
  EXPECT_NEAR(1 - c.leak * c.gain, std::exp(-leak * h / tau), 1e-15);
  // Stationary variance of x <- a x + s eps equals that of tau dx = -leak x dt + sqrt(2 tau) dW, 1/leak.
  const double a = 1 - c.leak * c.gain;
  EXPECT_NEAR(c.noise_scale * c.noise_scale / (1 - a * a), 1 / leak, 1e-14);
  const auto euler = step_coefficients(Method::euler, h, tau, leak, std::nullopt);
  const double b = 1 - euler.leak * euler.gain;
  EXPECT_GT(std::abs(euler.noise_scale * euler.noise_scale / (1 - b * b) - 1 / leak), 0.1) << "control: Euler is not";
}

TEST(StepCoefficients, NoLeakIsTheLimitOfASmallLeak) {
  const auto none = step_coefficients(Method::exponential_euler, 0.1, 1.0, 0.0, std::nullopt);
  const auto small = step_coefficients(Method::exponential_euler, 0.1, 1.0, 1e-9, std::nullopt);
  EXPECT_NEAR(none.gain, small.gain, 1e-10);
  EXPECT_NEAR(none.noise_scale, small.noise_scale, 1e-10);
}

TEST(StepCoefficients, MapTakesDecayOrAlpha) {
  EXPECT_DOUBLE_EQ(step_coefficients(Method::map, 0.1, 1.0, 1.0, 0.93).gain, 1 - 0.93);
  EXPECT_DOUBLE_EQ(step_coefficients(Method::map, 0.1, 1.0, 1.0, std::nullopt).gain, 0.1);
}

TEST(RowSteps, RefusesTimesBetweenSteps) {
  EXPECT_EQ(row_steps({0.0, 0.1, 0.3}, 0.1), (std::vector<std::int64_t>{0, 1, 3}));
  try {
    row_steps({0.0, 0.15}, 0.1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::configuration);
    EXPECT_THAT(error.what(), testing::HasSubstr("0.15 s is not a multiple of time.step = 0.1 s"));
  }
}

}  // namespace
}  // namespace rankflow::simulate
