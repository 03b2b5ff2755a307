#include "nn/quasi_newton.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace rankflow::nn {
namespace {

TEST(QuasiNewton, WorksWithoutALauncher) {
  // log cosh has its minimum 0 at 0 and a curvature that falls exponentially.
  const SmoothObjective valley = [](std::span<const double> x, std::span<double> gradient) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += std::log(std::cosh(x[i]));
      gradient[i] = std::tanh(x[i]);
    }
    return sum;
  };
  for (int repetition = 0; repetition < 2; ++repetition) {
    std::vector<double> x{3.0, -4.0, 0.5};
    const auto result = minimise_quasi_newton(parallel::Communicator(), x, std::vector<ParameterRange>{{0, 3}}, valley);
    EXPECT_TRUE(result.converged) << result.reason;
    for (const double value : x) EXPECT_NEAR(value, 0.0, 1e-8);
  }
}

}  // namespace
}  // namespace rankflow::nn
