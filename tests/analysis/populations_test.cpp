#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/populations_report.hpp"
#include "analysis/populations_resampling.hpp"
#include "core/error.hpp"
#include "network_support.hpp"

namespace rankflow::analysis {
namespace {

using config::Preset;

TEST(Populations, OfQuadstableAreItsFourClouds) {
  const auto network = preset_network_of(Preset::quadstable, 1000);
  const auto found = find_populations(network, {.most = 6}, {});
  ASSERT_EQ(found.count(), 4);
  EXPECT_THAT(found.variables, testing::ElementsAre("m1", "m2", "n1", "n2"));
  EXPECT_GT(found.mean_certainty, 0.99);
  std::int64_t members = 0;
  for (const auto count : found.members) members += count;
  EXPECT_EQ(members, 1000);
  // Means of n are 4.6 standard deviations from the border between clouds: 1 neuron in 1000 may lie beyond.
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    const auto label = found.labels[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < i; ++j)
      if ((network.population[static_cast<std::size_t>(i)] == network.population[static_cast<std::size_t>(j)]) !=
          (label == found.labels[static_cast<std::size_t>(j)]))
        ++wrong;
  }
  EXPECT_LT(wrong, 2 * 750);
}

TEST(Populations, SilencingTwoOppositeCloudsLeavesABistableNetwork) {
  auto network = preset_network_of(Preset::quadstable, 1000);
  auto whole = preset_network_of(Preset::quadstable, 1000);
  const auto found = find_populations(network, {.count = 4}, {});
  EXPECT_FALSE(found.selection.has_value());
  config::AnalyzePopulationsOptions options;
  options.populations.fixed_point_starts = 400;
  const auto report = silence_populations(network, found, options, &whole, {});
  ASSERT_TRUE(report.whole.has_value());
  const auto stable = [](const FixedPointReport& points) {
    return std::count_if(points.points.begin(), points.points.end(),
                         [](const auto& point) { return point.linear.verdict == Stability::stable; });
  };
  EXPECT_EQ(stable(*report.whole), 4);
  ASSERT_EQ(report.without.size(), 4U);
  for (const auto& points : report.without) EXPECT_EQ(stable(points), 2);
  for (const double change : report.change) EXPECT_GT(change, 0.3);
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(whole.n.at(i, 0), network.n.at(i, 0)) << "n is given back";
}

TEST(Populations, AreResampled) {
  const auto network = preset_network_of(Preset::quadstable, 1000);
  const auto found = find_populations(network, {.count = 4}, {});
  const auto options = resampling_options(network, found, 2000, 5);
  const auto drawn = model::build_network<double>(options.network, 0, 5, {});
  EXPECT_EQ(drawn.neurons(), 2000);
  const auto again = find_populations(drawn, {.most = 6}, {});
  EXPECT_EQ(again.count(), 4);
  const auto grid = make_grid(2, 2.4, 10, 1);
  const auto one = flow_field(network, grid, {}, {}, 1, {}).total;
  // The drawn network's flow differs as that of 2000 neurons does: with (1/N) sum n phi, |n| about 3.3, 0.03 of 1.
  EXPECT_LT(relative_difference(one, flow_field(drawn, grid, {}, {}, 1, {}).total), 0.3);
  const auto other = preset_network_of(Preset::ring_attractor, 2000);
  EXPECT_GT(relative_difference(one, flow_field(other, grid, {}, {}, 1, {}).total), 0.5);
  auto own_tau = preset_network_of(Preset::quadstable, 10);
  own_tau.tau = model::NeuronArray<double>(own_tau.partition, 1);
  EXPECT_THROW(resampling_options(own_tau, found, 10, 1), InputDataError);
}

TEST(Populations, TextSaysWhatWasFound) {
  const auto network = preset_network_of(Preset::bistable, 300);
  const auto found = find_populations(network, {.most = 2}, {});
  config::AnalyzePopulationsOptions options;
  auto report = silence_populations(network, found, options, nullptr, {});
  report.why_no_fixed_points = "no fixed points were looked for: test";
  const auto text = populations_text(found, report);
  EXPECT_THAT(text, testing::HasSubstr("<- chosen"));
  EXPECT_THAT(text, testing::HasSubstr("1 population(s)"));
  EXPECT_THAT(text, testing::HasSubstr("no fixed points were looked for: test"));
  EXPECT_THAT(text, testing::HasSubstr("flow of the whole network"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("flow without")));
  const auto two = find_populations(network, {.count = 2, .most = 2}, {});
  EXPECT_THAT(populations_text(two, silence_populations(network, two, options, nullptr, {})),
              testing::HasSubstr("flow without population 2"));
}

}  // namespace
}  // namespace rankflow::analysis
