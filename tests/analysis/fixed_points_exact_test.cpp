#include "analysis/fixed_points_exact.hpp"

#include <gtest/gtest.h>

#include "fixed_points_support.hpp"

namespace rankflow::analysis {
namespace {

using model::Activation;

std::vector<FixedPoint> exact(const LatentMap& map, SearchEffort& effort) {
  return exact_fixed_points(
      map, {}, 1, {}, [](double) {}, effort);
}

/// Largest distance to the exhaustive zeros, or infinity when the numbers differ.
double distance(const std::vector<FixedPoint>& found, const std::vector<Eigen::VectorXd>& expected) {
  if (found.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    largest = std::max(largest, (found[i].place - expected[i]).lpNorm<Eigen::Infinity>() /
                                    (1 + expected[i].lpNorm<Eigen::Infinity>()));
  return largest;
}

void compare_with_exhaustive(Activation activation, bool bias) {
  std::size_t points = 0;
  std::size_t several = 0;
  for (unsigned network = 0; network < 200; ++network) {
    const int rank = 1 + static_cast<int>(network % 3);
    const std::int64_t neurons = activation == Activation::relu ? 3 + network % 10 : 3 + network % 4;
    const LatentMap map(activation, 0.0, random_arrays(neurons, rank, network, bias));
    const auto expected = exhaustive_zeros(map.kinked_system());
    SearchEffort effort;
    const auto found = exact(map, effort);
    // Ill-conditioned regions lose digits; 1e-9 leaves room for a condition number of 1e6.
    EXPECT_LT(distance(found, expected), 1e-9)
        << "network " << network << ": " << found.size() << " of " << expected.size();
    EXPECT_TRUE(effort.complete) << "network " << network;
    points += expected.size();
    several += expected.size() > 1 ? 1 : 0;
  }
  EXPECT_GT(several, 20U) << "control: the networks have several fixed points to be found";
  std::printf("  %zu fixed points in 200 networks, %zu of them with several\n", points, several);
}

TEST(ExactFixedPoints, NoneMissedInReluNetworks) {
  compare_with_exhaustive(Activation::relu, true);
}

TEST(ExactFixedPoints, NoneMissedInClippedReluNetworks) {
  compare_with_exhaustive(Activation::clipped_relu, true);
}

TEST(ExactFixedPoints, WithoutBiasAllHyperplanesMeetInTheOrigin) {
  compare_with_exhaustive(Activation::relu, false);
}

}  // namespace
}  // namespace rankflow::analysis
