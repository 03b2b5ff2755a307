#include "analysis/sinkhorn.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/sinkhorn_sliced.hpp"
#include "analysis_support.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

PointCloud normal_cloud(std::int64_t count, int dimensions, std::uint32_t index) {
  return {count, dimensions, normals(static_cast<std::size_t>(count * dimensions), index)};
}

PointCloud moved(PointCloud cloud, const std::vector<double>& shift) {
  for (std::size_t i = 0; i < cloud.values.size(); ++i) cloud.values[i] += shift[i % shift.size()];
  return cloud;
}

double divergence(const PointCloud& x, const PointCloud& y, const SinkhornOptions& options = {}) {
  return sinkhorn_divergence(x, y, options, {}).divergence;
}

/// Σ_ij log-sum-exp iterations written down as they stand, until nothing changes.
double plain_transport(const PointCloud& x, const PointCloud& y, double epsilon) {
  const auto cost = [&](std::int64_t i, std::int64_t j) {
    double square = 0;
    for (std::size_t k = 0; k < x.point(i).size(); ++k) square += std::pow(x.point(i)[k] - y.point(j)[k], 2);
    return square / 2;
  };
  std::vector<double> f(static_cast<std::size_t>(x.count)), g(static_cast<std::size_t>(y.count));
  for (int iteration = 0; iteration < 3000; ++iteration) {
    for (std::size_t i = 0; i < f.size(); ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < g.size(); ++j)
        sum += std::exp((g[j] - cost(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j))) / epsilon);
      f[i] = -epsilon * std::log(sum / static_cast<double>(g.size()));
    }
    for (std::size_t j = 0; j < g.size(); ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < f.size(); ++i)
        sum += std::exp((f[i] - cost(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j))) / epsilon);
      g[j] = -epsilon * std::log(sum / static_cast<double>(f.size()));
    }
  }
  double value = 0;
  for (const double potential : f) value += potential / static_cast<double>(f.size());
  for (const double potential : g) value += potential / static_cast<double>(g.size());
  return value;
}

TEST(Sinkhorn, PointMasses) {
  const PointCloud x{1, 2, {0.5, -1.0}};
  const PointCloud y{1, 2, {2.0, 1.0}};
  EXPECT_NEAR(divergence(x, y), (1.5 * 1.5 + 2.0 * 2.0) / 2, 1e-14);
  EXPECT_NEAR(divergence(x, y, {.schedule = SinkhornSchedule::geomloss}), 3.125, 1e-14);
}

// A shift adds terms of x and of y alone to the cost: OT(x, x + t) = OT(x, x) + |t|²/2 for any penalty. What is not
// converged misplaces 1e-5 of the mass over less than 8 units: 1e-4 at most.
TEST(Sinkhorn, ShiftedCloud) {
  const auto x = normal_cloud(100, 2, 1);
  const auto y = moved(x, {0.7, -0.3});
  const SinkhornOptions options{.blur = 0.2, .tolerance = 1e-5};
  EXPECT_NEAR(divergence(x, y, options), (0.49 + 0.09) / 2, 1e-4);
  EXPECT_NEAR(divergence(x, x, options), 0.0, 1e-4);
  EXPECT_GT(divergence(x, moved(x, {0.7, -0.4}), options), 0.3);
}

// Iterations end with 1e-3 of the mass misplaced; no divergence is negative, and those of equal measures stay below
// the square of the misplaced mass.
TEST(Sinkhorn, EqualMeasuresAreNotApart) {
  for (const std::uint32_t index : {1U, 2U, 3U}) {
    const auto x = normal_cloud(150, 2, index);
    PointCloud turned{x.count, x.dimensions, {}};
    for (std::int64_t i = x.count - 1; i >= 0; --i)
      turned.values.insert(turned.values.end(), x.point(i).begin(), x.point(i).end());
    for (const auto& y : std::vector<PointCloud>{x, turned}) {
      EXPECT_GE(divergence(x, y), 0.0);
      EXPECT_LE(divergence(x, y), 1e-6);
    }
    EXPECT_GT(divergence(x, moved(x, {0.1, 0.0})), 1e-3) << "control";
  }
}

TEST(Sinkhorn, PointsFarOutAreRefused) {
  const PointCloud x{3, 1, {0.0, 1.0, 2.0}};
  const auto far = [](double place) { return PointCloud{3, 1, {0.0, 1.0, place}}; };
  // A third of the mass moves from 2 to the place.
  for (const double place : {1e2, 1e3, 1e4}) {
    const double expected = (place - 2) * (place - 2) / 6;
    const auto found = sinkhorn_divergence(x, far(place), {}, {});
    EXPECT_NEAR(found.divergence, expected, 2e-3 * expected) << place;
    EXPECT_TRUE(found.converged) << place;
  }
  for (const double place : {1e6, 1e60, 1e200}) EXPECT_THROW(divergence(x, far(place)), InputDataError) << place;
  EXPECT_TRUE(std::isfinite(divergence(x, far(1e10), {.blur = 1e6})));
}

TEST(Sinkhorn, EqualsPlainIterations) {
  const auto x = normal_cloud(17, 3, 2);
  const auto y = moved(normal_cloud(23, 3, 3), {0.5, 0.0, 1.0});
  const double blur = 0.4;
  const double expected = plain_transport(x, y, blur * blur) -
                          (plain_transport(x, x, blur * blur) + plain_transport(y, y, blur * blur)) / 2;
  const SinkhornOptions options{.blur = blur, .tolerance = 1e-9};
  EXPECT_NEAR(divergence(x, y, options), expected, 1e-8);
  EXPECT_NEAR(divergence(y, x, options), expected, 1e-8);
  EXPECT_GT(std::abs(divergence(x, y, {.blur = 0.5, .tolerance = 1e-9}) - expected), 1e-3);  // control
}

/// Entropic transport between N(0, a) and N(0, b): the plan is Gaussian with covariance c, c² + ε c = a b.
double gaussian_transport(double a, double b, double epsilon) {
  const double c = (std::sqrt(epsilon * epsilon + 4 * a * b) - epsilon) / 2;
  return (a + b) / 2 - c - epsilon / 2 * std::log(1 - c * c / (a * b));
}

/// Midpoint quantiles by bisection of erf.
PointCloud gaussian_quantiles(std::int64_t count, double mean, double deviation) {
  PointCloud cloud{count, 1, {}};
  for (std::int64_t i = 0; i < count; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    double low = -10;
    double high = 10;
    while (high - low > 1e-12) {
      const double middle = (low + high) / 2;
      (0.5 * std::erfc(-middle / std::sqrt(2.0)) < share ? low : high) = middle;
    }
    cloud.values.push_back(mean + deviation * low);
  }
  return cloud;
}

// 1000 quantiles lose 0.4 % of the variance in the tails: 0.01 in all terms together.
TEST(Sinkhorn, Gaussians) {
  const auto x = gaussian_quantiles(1000, 0.0, 1.0);
  const auto y = gaussian_quantiles(1000, 0.5, 2.0);
  const double epsilon = 0.25;
  const double expected = 0.125 + gaussian_transport(1, 4, epsilon) -
                          (gaussian_transport(1, 1, epsilon) + gaussian_transport(4, 4, epsilon)) / 2;
  EXPECT_NEAR(divergence(x, y, {.blur = 0.5}), expected, 0.01);
  EXPECT_GT(std::abs(expected - 0.125), 0.1);  // the variances count
}

TEST(Sinkhorn, SaysWhenItIsNotConverged) {
  const auto x = normal_cloud(100, 2, 4);
  const auto y = normal_cloud(100, 2, 5);
  const auto found = sinkhorn_divergence(x, y, {.tolerance = 1e-8, .most = 3}, {});
  EXPECT_FALSE(found.converged);
  EXPECT_GT(found.residual, 1e-8);
  const auto enough = sinkhorn_divergence(x, y, {}, {});
  EXPECT_TRUE(enough.converged);
  EXPECT_LE(enough.residual, 1e-3);
}

TEST(Sinkhorn, BadInput) {
  const auto x = normal_cloud(5, 2, 6);
  EXPECT_THROW(divergence(x, normal_cloud(5, 3, 6)), InputDataError);
  EXPECT_THROW(divergence(x, PointCloud{0, 2, {}}), InputDataError);
  EXPECT_THROW(divergence(x, x, {.blur = 0.0}), ConfigurationError);
  EXPECT_THROW(divergence(x, x, {.tolerance = -1.0}), ConfigurationError);
  auto broken = x;
  broken.values[3] = std::numeric_limits<double>::quiet_NaN();
  try {
    divergence(x, broken);
    FAIL() << "NaN passed";
  } catch (const InputDataError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("second distribution holds a value that is not finite"));
  }
}

TEST(SlicedTransport, OneDimensionIsExact) {
  const PointCloud x{2, 1, {0.0, 1.0}};
  const PointCloud y{3, 1, {0.0, 1.0, 3.0}};
  // Quantiles of x: 0, 1 with a step at 1/2; of y: steps at 1/3 and 2/3. (1/2 − 1/3) 1² + (1 − 2/3) 2², halved.
  EXPECT_NEAR(sliced_transport(x, y, 4, 1, {}), (1.0 / 6 + 4.0 / 3) / 2, 1e-15);
}

TEST(SlicedTransport, ShiftedCloud) {
  const auto x = normal_cloud(300, 3, 7);
  // Mean over directions of (t·u)²/2 = |t|²/6 in three dimensions; 2000 directions: sd |t|² 0.3/√2000/2.
  EXPECT_NEAR(sliced_transport(x, moved(x, {1.0, 2.0, 2.0}), 2000, 1, {}), 1.5, 4 * 9 * 0.3 / std::sqrt(2000.0) / 2);
  EXPECT_EQ(sliced_transport(x, x, 10, 1, {}), 0.0);
  EXPECT_THROW(sliced_transport(x, normal_cloud(3, 2, 1), 10, 1, {}), InputDataError);
}

}  // namespace
}  // namespace rankflow::analysis
