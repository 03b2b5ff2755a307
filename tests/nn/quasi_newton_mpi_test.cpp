#include "nn/quasi_newton.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "model/sparse_bulk_session.hpp"

namespace rankflow::nn {
namespace {

parallel::Communicator world() {
  return parallel::Communicator::duplicate(MPI_COMM_WORLD);
}

/// Sum over i of 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 (Rosenbrock 1960); 0 at (1, ..., 1).
double rosenbrock(std::span<const double> x, std::span<double> gradient) {
  double sum = 0;
  std::ranges::fill(gradient, 0.0);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double valley = x[i + 1] - x[i] * x[i];
    sum += 100 * valley * valley + (1 - x[i]) * (1 - x[i]);
    gradient[i] += -400 * valley * x[i] - 2 * (1 - x[i]);
    gradient[i + 1] += 200 * valley;
  }
  return sum;
}

std::vector<double> start(std::size_t size) {
  std::vector<double> x(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = i % 2 == 0 ? -1.2 : 1.0;
  return x;
}

const std::vector<ParameterRange> all_ten{{0, 10}};

TEST(QuasiNewton, FindsTheMinimumOfRosenbrock) {
  const auto comm = world();
  auto x = start(10);
  const auto result = minimise_quasi_newton(comm, x, all_ten, rosenbrock);
  EXPECT_TRUE(result.converged) << result.reason;
  std::vector<double> gradient(10);
  EXPECT_EQ(rosenbrock(x, gradient), result.objective);
  double squares = 0;
  for (const double slope : gradient) squares += slope * slope;
  EXPECT_LT(std::sqrt(squares), 1e-8);
  EXPECT_NEAR(std::sqrt(squares), result.gradient_norm, 1e-12);
  // The smallest curvature there is above 0.4, so an error of the gradient of 1e-8 is one of x below 3e-8.
  for (const double value : x) EXPECT_NEAR(value, 1.0, 3e-8);
  EXPECT_GT(result.iterations, 10);
  EXPECT_GE(result.evaluations, result.iterations);

  QuasiNewtonOptions forgetful;
  forgetful.memory = 5;
  x = start(10);
  const auto slow = minimise_quasi_newton(comm, x, all_ten, rosenbrock, forgetful);
  EXPECT_TRUE(slow.converged) << slow.reason;
  EXPECT_GT(slow.evaluations, result.evaluations) << "a short memory";
}

TEST(QuasiNewton, EveryRankHasTheResult) {
  const auto comm = world();
  auto x = start(10);
  // Other ranks begin elsewhere: only rank 0's point counts.
  if (!comm.is_root()) std::ranges::fill(x, 7.0);
  const auto result = minimise_quasi_newton(comm, x, all_ten, rosenbrock);
  auto again = start(10);
  const auto single = minimise_quasi_newton(comm, again, all_ten, rosenbrock);
  EXPECT_EQ(x, again);
  EXPECT_EQ(result.evaluations, single.evaluations);
  EXPECT_EQ(result.objective, single.objective);
  EXPECT_EQ(result.reason, single.reason);
  auto largest = x;
  comm.maximum(std::span(largest));
  EXPECT_EQ(largest, x) << "the same bits on all ranks";
}

TEST(QuasiNewton, OnlyWhatIsTrainedMoves) {
  const auto comm = world();
  auto x = start(4);
  const std::vector<ParameterRange> trainable{{0, 1}, {2, 4}};
  const auto result = minimise_quasi_newton(comm, x, trainable, rosenbrock);
  EXPECT_TRUE(result.converged) << result.reason;
  EXPECT_EQ(x[1], 1.0);
  EXPECT_NE(x[0], -1.2);
  std::vector<double> gradient(4);
  rosenbrock(x, gradient);
  for (const std::size_t k : {0, 2, 3}) EXPECT_LT(std::abs(gradient[k]), 1e-8);
}

TEST(QuasiNewton, StaysWithinBounds) {
  const auto comm = world();
  const double infinity = std::numeric_limits<double>::infinity();
  // (x - 3)^2 + (y + 2)^2 with x <= 1: the minimum is (1, -2).
  const SmoothObjective bowl = [](std::span<const double> p, std::span<double> gradient) {
    gradient[0] = 2 * (p[0] - 3);
    gradient[1] = 2 * (p[1] + 2);
    return (p[0] - 3) * (p[0] - 3) + (p[1] + 2) * (p[1] + 2);
  };
  const std::vector<ParameterRange> both{{0, 2}};
  const std::vector<double> lower{-infinity, -infinity};
  const std::vector<double> upper{1.0, infinity};
  std::vector<double> x{0.0, 0.0};
  const auto result = minimise_quasi_newton(comm, x, both, bowl, {}, {lower, upper});
  EXPECT_TRUE(result.converged) << result.reason;
  EXPECT_EQ(x[0], 1.0);
  EXPECT_NEAR(x[1], -2.0, 1e-8);
  x = {0.0, 0.0};
  minimise_quasi_newton(comm, x, both, bowl);
  EXPECT_NEAR(x[0], 3.0, 1e-8) << "control: without bounds";
  EXPECT_THROW(minimise_quasi_newton(comm, x, both, bowl, {}, {std::span(lower).first(1), std::span(upper).first(1)}),
               InternalError);
}

TEST(QuasiNewton, ReportsWhyItEndsEarly) {
  const auto comm = world();
  auto x = start(10);
  QuasiNewtonOptions options;
  options.max_iterations = 3;
  const auto result = minimise_quasi_newton(comm, x, all_ten, rosenbrock, options);
  EXPECT_FALSE(result.converged);
  EXPECT_EQ(result.reason, "DIVERGED_MAXITS");
  EXPECT_EQ(result.iterations, 3);
}

/// The message of a minimisation that fails, the same on every rank.
std::string failure(const parallel::Communicator& comm, const SmoothObjective& f) {
  std::vector<double> x{2.0, 2.0};
  try {
    minimise_quasi_newton(comm, x, std::vector<ParameterRange>{{0, 2}}, f);
  } catch (const NumericalError& error) {
    return error.what();
  }
  return "no error";
}

TEST(QuasiNewton, NonFiniteObjectivesAreErrorsThatSayWhere) {
  const auto comm = world();
  std::int64_t calls = 0;
  const auto value = failure(comm, [&](std::span<const double> x, std::span<double> gradient) {
    ++calls;
    gradient[0] = x[0];
    gradient[1] = 0;
    return calls < 2 ? x[0] * x[0] / 2 : std::nan("");
  });
  EXPECT_EQ(value.substr(0, 38), "the objective is nan at evaluation 2 o") << value;
  const auto slope = failure(comm, [](std::span<const double>, std::span<double> gradient) {
    gradient[0] = 1.0;
    gradient[1] = std::numeric_limits<double>::infinity();
    return 1.0;
  });
  EXPECT_EQ(slope.substr(0, 34), "derivative 1 of the objective is i") << slope;
  auto x = start(10);
  EXPECT_TRUE(minimise_quasi_newton(comm, x, all_ten, rosenbrock).converged) << "works after a failure";
}

TEST(QuasiNewton, JoinsAPetscSessionUnderWay) {
  const auto comm = world();
  const auto session = model::PetscSession::join(comm);
  auto x = start(2);
  EXPECT_TRUE(minimise_quasi_newton(comm, x, std::vector<ParameterRange>{{0, 2}}, rosenbrock).converged);
  EXPECT_EQ(model::PetscSession::join(comm), session) << "still the same";
}

}  // namespace
}  // namespace rankflow::nn
