// The map of where the flow field is known.
#include <gtest/gtest.h>

#include "analysis/identifiability_support.hpp"

namespace rankflow::analysis {
namespace {

/// A network whose latents stayed in a small box around (1, ..).
IdentifiabilityReport box_report(int rank, std::int64_t grid, double margin) {
  const auto network = drawn_network({.neurons = 300, .rank = rank, .bias = true});
  auto states = drawn_states(network, 500, 0.02);
  for (double& z : states.z) z = 1 + 0.2 * std::tanh(z);
  add_drive(network, states);
  return analyzed(network, states, {.penalty = 1e-4, .grid = grid, .margin = margin});
}

TEST(IdentifiabilityCoverage, SupportedWhereVisitedExtrapolatedFarAway) {
  for (const int rank : {1, 2, 3}) {
    const auto report = box_report(rank, 9, 10);
    const auto& map = report.coverage;
    EXPECT_EQ(map.points(), static_cast<std::int64_t>(std::pow(9, rank)));
    const auto middle = static_cast<std::size_t>(map.points() / 2);
    EXPECT_EQ(map.supported[middle], 1) << rank;
    EXPECT_EQ(map.visited[middle], 1) << rank;
    EXPECT_EQ(map.supported.front(), 0) << rank;
    EXPECT_EQ(map.supported.back(), 0) << rank;
    EXPECT_GT(map.supported_box, 0.99);
    EXPECT_LT(map.supported_all, 0.5);
    EXPECT_LT(map.worst_visited, 0.5);
    for (std::size_t k = 0; k < map.deviation.size(); ++k) EXPECT_LE(map.deviation[k], map.prior_deviation[k]);
  }
}

TEST(IdentifiabilityCoverage, DeviationIsThatOfTheResolutionMatrix) {
  const auto network = drawn_network({.neurons = 80, .rank = 1, .bias = true});
  auto states = drawn_states(network, 200, 0.05);
  add_drive(network, states);
  const double penalty = 1e-3;
  const auto report = analyzed(
      network, states, {.penalty = penalty, .prior_deviation = 1.3, .tolerance = 1e-12, .grid = 5, .margin = 0.5});
  const Matrix left = Matrix::Identity(80, 80) - resolution_matrix(feature_table(network, states), penalty);
  connectivity::VisitedStates points;
  points.rows = 5;
  points.rank = 1;
  points.z = report.coverage.axes[0];
  const Matrix features = feature_table(network, points);
  for (std::int64_t k = 0; k < 5; ++k) {
    const double deviation = 1.3 * std::sqrt(features.row(k) * left * features.row(k).transpose()) / 80;
    const auto place = static_cast<std::size_t>(k);
    EXPECT_NEAR(report.coverage.prior_deviation[place], 1.3 * features.row(k).norm() / 80, 1e-12);
    EXPECT_NEAR(report.coverage.deviation[place], deviation, 1e-8 * report.coverage.prior_deviation[place]);
  }
}

TEST(IdentifiabilityCoverage, PictureHasARowPerPoint) {
  const auto picture = coverage_picture(box_report(2, 11, 10).coverage);
  EXPECT_EQ(std::count(picture.begin(), picture.end(), '\n'), 12);
  EXPECT_NE(picture.find('#'), std::string::npos) << picture;
  EXPECT_NE(picture.find('.'), std::string::npos) << picture;
  EXPECT_TRUE(coverage_picture(box_report(1, 11, 10).coverage).empty());
}

TEST(IdentifiabilityCoverage, NoMapBeyondThreeLatents) {
  const auto report = box_report(4, 9, 0.2);
  const auto& map = report.coverage;
  EXPECT_EQ(map.side, 0);
  EXPECT_EQ(map.points(), 0);
  EXPECT_GT(map.worst_visited, 0.0);
}

}  // namespace
}  // namespace rankflow::analysis
