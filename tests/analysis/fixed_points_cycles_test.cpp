#include <gtest/gtest.h>

#include "analysis/cycles.hpp"
#include "core/error.hpp"
#include "fixed_points_support.hpp"

namespace rankflow::analysis {
namespace {

using model::Activation;

/// The tent map 2 relu(z) - 4 relu(z - 1/2): 2 z below 1/2, 2 - 2 z above.
LatentMap tent() {
  LatentMapArrays arrays;
  arrays.neurons = 2;
  arrays.left = {1, 1};
  arrays.right = {2, -4};
  arrays.shift = {0, 0};
  arrays.bias = {0, -0.5};
  arrays.linear = {0};
  arrays.offset = {0};
  return {Activation::relu, 0.0, arrays};
}

CycleSearch search(const LatentMap& map, int order, const config::FixedPointsOptions& options = {}) {
  return find_cycles(map, order, options, 1, {}, [](double) {});
}

TEST(Cycles, AllOfTheTentMap) {
  // 2^k points return after k steps; less those of shorter orders, in groups of k.
  for (const auto& [order, count] : {std::pair{2, 1U}, {3, 2U}, {4, 3U}, {5, 6U}}) {
    const auto found = search(tent(), order);
    EXPECT_TRUE(found.complete);
    ASSERT_EQ(found.cycles.size(), count) << "order " << order;
    for (const auto& cycle : found.cycles) {
      EXPECT_LT(cycle.residual, 1e-14);
      EXPECT_NEAR(std::abs(cycle.linear.eigenvalues[0]), std::pow(2.0, order), 1e-9);
      EXPECT_EQ(cycle.linear.verdict, Stability::unstable);
    }
  }
  const auto second = search(tent(), 2).cycles.front().points;
  EXPECT_NEAR(second(0, 0), 0.4, 1e-14);
  EXPECT_NEAR(second(1, 0), 0.8, 1e-14);
}

TEST(Cycles, RandomStartsFindSomeAndClaimNoMore) {
  config::FixedPointsOptions options;
  options.cycle_crossings = 0;
  options.starts = 300;
  for (const int order : {2, 3, 4}) {
    const auto some = search(tent(), order, options);
    EXPECT_FALSE(some.complete);
    EXPECT_EQ(some.starts, 300);
    EXPECT_GT(some.cycles.size(), 0U);
    const auto all = search(tent(), order);
    EXPECT_LE(some.cycles.size(), all.cycles.size());
    for (const auto& cycle : some.cycles) {
      const bool known = std::any_of(all.cycles.begin(), all.cycles.end(), [&](const Cycle& other) {
        return (other.points - cycle.points).lpNorm<Eigen::Infinity>() < 1e-9;
      });
      EXPECT_TRUE(known) << cycle.points.transpose();
    }
  }
}

/// Pairs (z, f(z)) with f(f(z)) = z, for every pair of patterns.
std::vector<Eigen::VectorXd> exhaustive_second_order(const KinkedSystem& residual) {
  const int rank = residual.dimension();
  const auto patterns = 1U << residual.kinks();
  std::vector<Eigen::MatrixXd> linear;
  std::vector<Eigen::VectorXd> constant;
  for (std::uint32_t pattern = 0; pattern < patterns; ++pattern) {
    linear.emplace_back(residual.linear + SmallMatrix::Identity(rank, rank));
    constant.emplace_back(residual.constant);
    for (std::uint32_t k = 0; k < residual.kinks(); ++k) {
      if ((pattern >> k & 1U) == 0) continue;
      linear.back() += Eigen::VectorXd(residual.weight(k)) * Eigen::VectorXd(residual.normal(k)).transpose();
      constant.back() -= Eigen::VectorXd(residual.weight(k)) * residual.thresholds[k];
    }
  }
  const auto pattern_of = [&](const Eigen::VectorXd& z) {
    std::uint32_t pattern = 0;
    for (std::uint32_t k = 0; k < residual.kinks(); ++k)
      if (residual.normal(k).dot(z) > residual.thresholds[k]) pattern |= 1U << k;
    return pattern;
  };
  std::vector<Eigen::VectorXd> starts;
  for (std::uint32_t one = 0; one < patterns; ++one) {
    for (std::uint32_t two = 0; two < patterns; ++two) {
      const Eigen::MatrixXd back = Eigen::MatrixXd::Identity(rank, rank) - linear[two] * linear[one];
      const Eigen::VectorXd z = back.fullPivLu().solve(linear[two] * constant[one] + constant[two]);
      const Eigen::VectorXd next = linear[one] * z + constant[one];
      if (pattern_of(z) == one && pattern_of(next) == two && (next - z).norm() > 1e-8) starts.push_back(z);
    }
  }
  return starts;
}

TEST(Cycles, NoneOfOrderTwoMissedInRandomNetworks) {
  std::size_t cycles = 0;
  for (unsigned network = 0; network < 24; ++network) {
    const int rank = 1 + static_cast<int>(network % 2);
    const LatentMap map(Activation::relu, 0.0, random_arrays(6, rank, 4000 + network, true, -60.0));
    const auto expected = exhaustive_second_order(map.kinked_system());
    const auto found = search(map, 2);
    EXPECT_TRUE(found.complete);
    EXPECT_EQ(2 * found.cycles.size(), expected.size()) << "network " << network;
    cycles += found.cycles.size();
    for (const auto& start : expected) {
      const bool known = std::any_of(found.cycles.begin(), found.cycles.end(), [&](const Cycle& cycle) {
        return (cycle.points.rowwise() - start.transpose()).rowwise().lpNorm<Eigen::Infinity>().minCoeff() < 1e-8;
      });
      EXPECT_TRUE(known) << start.transpose();
    }
  }
  EXPECT_GT(cycles, 5U) << "control: there are cycles to be found";
}

TEST(Cycles, NeedAPiecewiseLinearMapInDiscreteTime) {
  auto arrays = random_arrays(5, 1, 1);
  EXPECT_THROW(search({Activation::relu, 0.1, arrays}, 2), ConfigurationError);
  EXPECT_THROW(search({Activation::tanh, 0.0, arrays}, 2), ConfigurationError);
  EXPECT_NO_THROW(search({Activation::relu, 0.0, arrays}, 2));
}

}  // namespace
}  // namespace rankflow::analysis
