#include "analysis/flow_field.hpp"

#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/fixed_points_map.hpp"
#include "core/error.hpp"
#include "network_support.hpp"

namespace rankflow::analysis {
namespace {

using config::Preset;

TEST(FlowField, EqualsTheLatentDynamics) {
  const auto network = preset_network_of(Preset::decision, 700);
  config::FixedPointsOptions options;
  options.inputs = {0.4};
  const LatentMap map(network, options);
  const auto grid = make_grid(1, 2.4, 30, 1);
  const auto field = flow_field(network, grid, options.inputs, {}, 1, {});
  for (std::int64_t i = 0; i < grid.count(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    const Eigen::VectorXd expected = map.evaluate(Eigen::VectorXd::Constant(1, grid.points[place]));
    EXPECT_NEAR(field.total[place], expected[0], 1e-13);
  }
  const auto without = flow_field(network, grid, {}, {}, 1, {});
  EXPECT_GT(relative_difference(field.total, without.total), 0.05);
}

TEST(FlowField, OfAMapIsItsDriveWithLeakOne) {
  auto network = preset_network_of(Preset::limit_cycle, 300);
  const auto grid = make_grid(2, 2.4, 5, 1);
  const auto flow = flow_field(network, grid, {}, {}, 1, {});
  network.decay = 0.75;
  network.leak = 7;  // a map's leak is 1
  const LatentMap map(network, {});
  const auto of_map = flow_field(network, grid, {}, {}, 1, {});
  EXPECT_EQ(relative_difference(flow.total, of_map.total), 0.0);
  const Eigen::VectorXd z = Eigen::Vector2d(grid.points[6], grid.points[7]);
  const Eigen::VectorXd step = (map.evaluate(z) - z) / 0.25;
  EXPECT_NEAR(of_map.total[6], step[0], 1e-13);
  EXPECT_NEAR(of_map.total[7], step[1], 1e-13);
}

TEST(FlowField, PartsOfPopulationsAddUp) {
  const auto network = preset_network_of(Preset::quadstable, 1300);
  const auto grid = make_grid(2, 2.4, 6, 1);
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(network.partition.padded_count()));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 3);
  const auto whole = flow_field(network, grid, {}, {}, 1, {});
  const auto parts = flow_field(network, grid, {}, labels, 3, {});
  ASSERT_EQ(parts.drive.size(), 3U);
  for (std::size_t k = 0; k < whole.total.size(); ++k) {
    EXPECT_NEAR(parts.total[k], whole.total[k], 1e-14);
    EXPECT_NEAR(parts.drive[0][k] + parts.drive[1][k] + parts.drive[2][k], whole.drive[0][k], 1e-14);
  }
  EXPECT_GT(relative_difference(parts.drive[0], parts.drive[1]), 0.01);
  // A population silenced is a network whose n is 0 there.
  auto silenced = preset_network_of(Preset::quadstable, 1300);
  for (std::int64_t i = 1; i < 1300; i += 3)
    for (int r = 0; r < 2; ++r) silenced.n.at(i, r) = 0;
  const auto without = flow_field(silenced, grid, {}, {}, 1, {});
  for (std::size_t k = 0; k < whole.total.size(); ++k) EXPECT_NEAR(without.total[k], flow_without(parts, 1)[k], 1e-14);
  EXPECT_GT(relative_difference(without.total, flow_without(parts, 2)), 0.01) << "control";
}

TEST(FlowField, Grids) {
  const auto plane = make_grid(2, 1.5, 4, 1);
  EXPECT_EQ(plane.count(), 16);
  EXPECT_EQ(plane.points[0], -1.5);
  EXPECT_EQ(plane.points[3], -0.5);  // the second latent varies fastest
  EXPECT_EQ(plane.points.back(), 1.5);
  EXPECT_EQ(make_grid(3, 1.0, 30, 1).count(), 1000);
  const auto many = make_grid(5, 2.0, 10, 1);
  EXPECT_EQ(many.count(), 100);
  EXPECT_TRUE(many.extent.empty());
  for (const double value : many.points) EXPECT_LE(std::abs(value), 2.0);
  EXPECT_NE(many.points, make_grid(5, 2.0, 10, 2).points);
  EXPECT_THROW(make_grid(2, 0.0, 10, 1), ConfigurationError);
  EXPECT_THROW(make_grid(2, 1.0, 1, 1), ConfigurationError);
}

TEST(FlowField, Sketch) {
  const auto grid = make_grid(2, 1.0, 3, 1);
  std::vector<double> inwards;
  for (const double z : grid.points) inwards.push_back(-z);
  EXPECT_THAT(flow_sketch(grid, inwards), testing::StartsWith("↘↓↙\n→·←\n↗↑↖\n"));
  const auto line = make_grid(1, 1.0, 3, 1);
  EXPECT_THAT(flow_sketch(line, {1.0, 0.0, -1.0}), testing::StartsWith("→·←\n"));
  EXPECT_EQ(flow_sketch(make_grid(3, 1.0, 3, 1), {}), "");
}

TEST(FlowField, BadInput) {
  auto network = preset_network_of(Preset::decision, 20);
  const auto grid = make_grid(1, 1.0, 3, 1);
  EXPECT_THROW(flow_field(network, grid, std::array{1.0, 2.0}, {}, 1, {}), ConfigurationError);
  network.leak = 0;
  EXPECT_THROW(flow_field(network, grid, std::array{1.0}, {}, 1, {}), ConfigurationError);
  network.tau = model::NeuronArray<double>(network.partition, 1);
  EXPECT_THROW(flow_field(network, grid, {}, {}, 1, {}), InputDataError);
}

}  // namespace
}  // namespace rankflow::analysis
