#include <gtest/gtest.h>

#include "analysis/fixed_points_exact.hpp"
#include "analysis/regions.hpp"
#include "fixed_points_support.hpp"

namespace rankflow::analysis {
namespace {

using model::Activation;

/// A map of one or more latents, neuron by neuron: (m, n, d).
LatentMap map_of(int rank, const std::vector<std::vector<double>>& neurons, std::vector<double> linear,
                 std::vector<double> offset) {
  LatentMapArrays arrays;
  arrays.neurons = static_cast<std::int64_t>(neurons.size());
  for (const auto& neuron : neurons) {
    arrays.left.insert(arrays.left.end(), neuron.begin(), neuron.begin() + rank);
    arrays.right.insert(arrays.right.end(), neuron.begin() + rank, neuron.begin() + 2 * rank);
    arrays.shift.push_back(0.0);
    arrays.bias.push_back(neuron.back());
  }
  arrays.linear = std::move(linear);
  arrays.offset = std::move(offset);
  return {Activation::relu, 0.0, arrays};
}

std::vector<FixedPoint> exact(const LatentMap& map) {
  SearchEffort effort;
  auto points = exact_fixed_points(
      map, {}, 1, {}, [](double) {}, effort);
  EXPECT_TRUE(effort.complete);
  for (const auto& point : points) EXPECT_LT(point.residual, 1e-12) << point.place.transpose();
  return points;
}

std::vector<FixedPoint> of_kind(const std::vector<FixedPoint>& points, FixedPointKind kind) {
  std::vector<FixedPoint> chosen;
  for (const auto& point : points)
    if (point.kind == kind) chosen.push_back(point);
  return chosen;
}

void expect_exhaustive(const LatentMap& map, const std::string& what) {
  const auto expected = exhaustive_zeros(map.kinked_system());
  const auto found = exact(map);
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_LT((found[i].place - expected[i]).lpNorm<Eigen::Infinity>(),
              1e-9 * (1 + expected[i].lpNorm<Eigen::Infinity>()))
        << what;
}

TEST(DegenerateFixedPoints, PerfectIntegratorIsAContinuum) {
  const auto points = exact(map_of(1, {{1, 1, 0}, {-1, -1, 0}}, {0}, {0}));  // f(z) = z
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].kind, FixedPointKind::continuum);
  EXPECT_TRUE(exact(map_of(1, {{1, 1, 0}, {-1, -1, 0}}, {0}, {0.25})).empty()) << "control: it drifts";
}

TEST(DegenerateFixedPoints, HalfLineBeginsOnItsKink) {
  const auto points = exact(map_of(1, {{1, 1, 0}}, {0}, {0}));  // f(z) = relu(z)
  const auto continua = of_kind(points, FixedPointKind::continuum);
  ASSERT_EQ(continua.size(), 1U);
  EXPECT_GT(continua[0].place[0], 0);
  const auto ends = of_kind(points, FixedPointKind::boundary);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_NEAR(ends[0].place[0], 0, 1e-15);
}

TEST(DegenerateFixedPoints, LineAttractorInThePlane) {
  // f_1 = z_1 for |z_1| <= 1, constant beyond; f_2 = 0.5 z_2 + 0.1 relu(z_1 + z_2).
  const auto points = exact(map_of(2, {{1, 0, 1, 0, 1}, {1, 0, -1, 0, -1}, {1, 1, 0, 0.1, 0}}, {0, 0.5}, {-1, 0}));
  const auto continua = of_kind(points, FixedPointKind::continuum);
  // The line z_2 = 0.2 relu(z_1 + z_2) has a kink in the origin: a piece on either side.
  ASSERT_EQ(continua.size(), 2U);
  EXPECT_NEAR(continua[0].place[0], -0.5, 1e-9);
  EXPECT_NEAR(continua[0].place[1], 0.0, 1e-12);
  EXPECT_NEAR(continua[1].place[0], 0.5, 1e-9);
  EXPECT_NEAR(continua[1].place[1], 0.125, 1e-9);
  EXPECT_EQ(of_kind(points, FixedPointKind::boundary).size(), 2U) << "its ends";
  EXPECT_EQ(of_kind(points, FixedPointKind::isolated).size(), 0U);
}

/// A network without bias whose fixed points form a ray: V is changed so that f(v) = v for one direction v.
LatentMap with_ray(std::int64_t neurons, int rank, const Eigen::VectorXd& ray) {
  auto arrays = random_arrays(neurons, rank, 3, false);
  arrays.offset.assign(static_cast<std::size_t>(rank), 0.0);
  const LatentMap before(Activation::relu, 0.0, arrays);
  const Eigen::VectorXd missing = ray - before.evaluate(ray);
  double square = 0;
  std::vector<double> rates;
  for (std::size_t i = 0; i < static_cast<std::size_t>(neurons); ++i) {
    double potential = 0;
    for (int r = 0; r < rank; ++r)
      potential += arrays.left[i * static_cast<std::size_t>(rank) + static_cast<std::size_t>(r)] * ray[r];
    rates.push_back(std::max(0.0, potential));
    square += rates.back() * rates.back();
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(neurons); ++i)
    for (int r = 0; r < rank; ++r)
      arrays.right[i * static_cast<std::size_t>(rank) + static_cast<std::size_t>(r)] += missing[r] * rates[i] / square;
  return {Activation::relu, 0.0, arrays};
}

TEST(DegenerateFixedPoints, RayFromAVertexOfManyHyperplanes) {
  for (const int rank : {2, 3}) {
    for (const std::int64_t neurons : {5, 12, 40}) {  // all regions around 0 are tried, or not
      Eigen::VectorXd ray(rank);
      for (int r = 0; r < rank; ++r) ray[r] = r % 2 == 0 ? 0.6 + 0.1 * r : -0.5;
      ray.normalize();
      const auto points = exact(with_ray(neurons, rank, ray));
      const auto continua = of_kind(points, FixedPointKind::continuum);
      ASSERT_EQ(continua.size(), 1U) << "rank " << rank << ", neurons " << neurons;
      EXPECT_NEAR(continua[0].place.normalized().dot(ray), 1.0, 1e-12);
      EXPECT_EQ(of_kind(points, FixedPointKind::boundary).size(), 1U) << "the origin";
    }
  }
}

TEST(DegenerateFixedPoints, RepeatedOppositeAndScaledRows) {
  for (unsigned network = 0; network < 60; ++network) {
    const int rank = 1 + static_cast<int>(network % 3);
    const auto columns = static_cast<std::size_t>(rank);
    auto arrays = random_arrays(11, rank, 1000 + network, network % 2 == 0);
    const auto repeat = [&](std::size_t target, std::size_t source, double factor) {
      for (std::size_t r = 0; r < columns; ++r)
        arrays.left[target * columns + r] = factor * arrays.left[source * columns + r];
      arrays.bias[target] = factor * arrays.bias[source];
    };
    repeat(8, 0, 1.0);
    repeat(9, 1, -1.0);
    repeat(10, 2, 3.7);
    repeat(7, 0, -0.3);
    repeat(6, 6, 0.0);  // a neuron that sees nothing
    expect_exhaustive({Activation::relu, 0.0, arrays}, "network " + std::to_string(network));
  }
}

TEST(DegenerateFixedPoints, HyperplanesThatDoNotSpanTheSpace) {
  for (unsigned network = 0; network < 30; ++network) {
    auto arrays = random_arrays(9, 3, 2000 + network);
    for (std::size_t i = 0; i < 9; ++i) {  // m of rank 2, or of rank 1
      arrays.left[3 * i + 2] = 0.5 * arrays.left[3 * i] - arrays.left[3 * i + 1];
      if (network % 2 == 0) arrays.left[3 * i + 1] = arrays.left[3 * i + 2] = 2 * arrays.left[3 * i];
    }
    expect_exhaustive({Activation::relu, 0.0, arrays}, "network " + std::to_string(network));
  }
  expect_exhaustive({Activation::relu, 0.0, random_arrays(2, 3, 5)}, "fewer hyperplanes than dimensions");
  expect_exhaustive({Activation::relu, 0.0, random_arrays(1, 2, 6)}, "one neuron");
}

TEST(DegenerateFixedPoints, PlanesThroughACommonLine) {
  for (unsigned network = 0; network < 30; ++network) {
    auto arrays = random_arrays(11, 3, 3000 + network);
    for (std::size_t i = 0; i < 8; ++i) arrays.left[3 * i + 2] = arrays.bias[i] = 0.0;  // contain the third axis
    expect_exhaustive({Activation::relu, 0.0, arrays}, "network " + std::to_string(network));
  }
}

TEST(DegenerateFixedPoints, IdentityIsOneLinearSystem) {
  const auto arrays = random_arrays(20, 3, 8);
  const LatentMap map(Activation::identity, 0.0, arrays);
  const auto points = exact(map);
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].kind, FixedPointKind::isolated);
}

TEST(DegenerateFixedPoints, NearlyEqualHyperplanesAreKeptApartOrJoined) {
  // A pair of kinks `gap` apart, with the fixed point between them: f(z) = 3 relu(z) - 3 relu(z - gap) - gap.
  for (const double gap : {1e-3, 1e-6, 1e-8}) {
    const auto points = exact(map_of(1, {{1, 3, 0}, {1, -3, -gap}}, {0}, {-gap}));
    ASSERT_EQ(points.size(), gap > 1e-7 ? 3U : points.size()) << gap;
    EXPECT_GE(points.size(), 1U);
  }
}

}  // namespace
}  // namespace rankflow::analysis
