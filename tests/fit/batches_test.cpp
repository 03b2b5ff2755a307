#include "fit/batches.hpp"

#include <map>
#include <set>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "fit/data_support.hpp"

namespace rankflow::fit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::set<std::int64_t> trials_of(const std::vector<Stretch>& stretches) {
  std::set<std::int64_t> trials;
  for (const auto& stretch : stretches) trials.insert(stretch.trial);
  return trials;
}

TEST(Split, HoldsOutTrialsChosenByTheSeed) {
  const auto data = counting_data(std::vector<std::int64_t>(40, 5));
  const auto split = split_data(data, 0.25, 1);
  EXPECT_EQ(split.training.size(), 30U);
  EXPECT_EQ(split.validation.size(), 10U);
  auto all = trials_of(split.training);
  all.merge(trials_of(split.validation));
  EXPECT_EQ(all.size(), 40U);
  EXPECT_EQ(trials_of(split_data(data, 0.25, 1).validation), trials_of(split.validation));
  EXPECT_NE(trials_of(split_data(data, 0.25, 2).validation), trials_of(split.validation));
}

TEST(Split, HoldsOutTheEndOfASingleTrial) {
  const auto split = split_data(counting_data({100}), 0.2, 1);
  EXPECT_THAT(split.training, ElementsAre(Stretch{0, 0, 80}));
  EXPECT_THAT(split.validation, ElementsAre(Stretch{0, 80, 20}));
}

TEST(Split, HoldsOutNothingWhenNotAsked) {
  const auto split = split_data(counting_data({10, 7}), 0.0, 1);
  EXPECT_THAT(split.training, ElementsAre(Stretch{0, 0, 10}, Stretch{1, 0, 7}));
  EXPECT_TRUE(split.validation.empty());
}

TEST(Split, RefusesToHoldOutEverything) {
  EXPECT_THAT([] { split_data(counting_data({10, 10}), 0.999, 1); }, testing::Not(testing::Throws<Error>()));
  EXPECT_THAT([] { split_data(counting_data({10}), 0.05, 1); },
              ThrowsMessage<ConfigurationError>(HasSubstr("10 steps leaves 0 to hold out")));
}

TEST(Windows, CoverEveryStretchOnce) {
  const std::vector<Stretch> stretches{{0, 3, 10}, {2, 0, 4}};
  EXPECT_THAT(consecutive_windows(stretches, 4),
              ElementsAre(Stretch{0, 3, 4}, Stretch{0, 7, 4}, Stretch{0, 11, 2}, Stretch{2, 0, 4}));
}

TEST(BatchPlan, APassTakesEachTrialOnce) {
  const auto split = split_data(counting_data(std::vector<std::int64_t>(12, 5)), 0, 1);
  BatchPlan plan(split.training, 4, 5, 7);
  ASSERT_EQ(plan.steps_per_pass(), 3);
  std::multiset<std::int64_t> seen;
  std::vector<std::int64_t> order;
  for (std::int64_t step = 0; step < 3; ++step)
    for (const auto& window : plan.windows(0, step)) {
      seen.insert(window.trial);
      order.push_back(window.trial);
      EXPECT_EQ(window.begin, 0);
      EXPECT_EQ(window.length, 5);
    }
  EXPECT_EQ(seen.size(), std::set<std::int64_t>(seen.begin(), seen.end()).size());
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
}

TEST(BatchPlan, DependsOnSeedEpochAndStepOnly) {
  const std::vector<Stretch> stretches{{0, 0, 1000}};
  BatchPlan plan(stretches, 10, 50, 7);
  EXPECT_EQ(plan.windows(3, 2), BatchPlan(stretches, 10, 50, 7).windows(3, 2));
  for (std::int64_t epoch = 2; epoch < 5; ++epoch)  // whatever was asked before
    for (std::int64_t step = 0; step < 5; ++step)
      EXPECT_EQ(plan.windows(epoch, step), BatchPlan(stretches, 10, 50, 7).windows(epoch, step));
  EXPECT_NE(plan.windows(3, 2), plan.windows(3, 1));
  EXPECT_NE(plan.windows(3, 2), plan.windows(2, 2));
  EXPECT_NE(plan.windows(3, 2), BatchPlan(stretches, 10, 50, 8).windows(3, 2));
}

TEST(BatchPlan, WindowsBeginAnywhereInTheStretch) {
  BatchPlan plan({{0, 20, 30}}, 3, 10, 1);
  std::map<std::int64_t, int> begins;
  constexpr int epochs = 700;
  for (int epoch = 0; epoch < epochs; ++epoch)
    for (const auto& window : plan.windows(epoch, 0)) {
      EXPECT_EQ(window.length, 10);
      ++begins[window.begin];
    }
  ASSERT_EQ(begins.size(), 21U);
  EXPECT_EQ(begins.begin()->first, 20);
  EXPECT_EQ(begins.rbegin()->first, 40);
  // 100 expected each, standard deviation 10: six of them.
  for (const auto& [begin, count] : begins) EXPECT_NEAR(count, 3 * epochs / 21, 60) << begin;
}

TEST(BatchPlan, StepsBeyondOnePassTakeFurtherOnes) {
  const auto split = split_data(counting_data(std::vector<std::int64_t>(6, 5)), 0, 1);
  BatchPlan plan(split.training, 4, 5, 7);
  std::map<std::int64_t, int> seen;
  for (std::int64_t step = 0; step < 3; ++step)  // 12 windows: two passes of 6
    for (const auto& window : plan.windows(0, step)) ++seen[window.trial];
  for (const auto& [trial, count] : seen) EXPECT_EQ(count, 2) << trial;
}

TEST(BatchPlan, RefusesABatchLargerThanThePass) {
  EXPECT_THAT(
      [] {
        BatchPlan({{0, 0, 30}, {1, 0, 5}}, 5, 10, 1);
      },
      ThrowsMessage<ConfigurationError>(
          testing::AllOf(HasSubstr("batch_trials is 5"), HasSubstr("4 window(s) of 10 steps"))));
}

TEST(Batch, HoldsItsWindowsAndNaNBeyond) {
  const auto data = counting_data({10, 4});
  Batch batch(3, 6, data);
  batch.fill(std::vector<Stretch>{{0, 2, 6}, {1, 1, 3}});
  const auto filter = batch.filter_data();
  ASSERT_EQ(filter.observations.size(), 3U * 6 * 2);
  EXPECT_DOUBLE_EQ(filter.observations[0], 0.002);
  EXPECT_DOUBLE_EQ(filter.observations[2 * 5 + 1], 0.107);
  EXPECT_DOUBLE_EQ(filter.observations[2 * 6], 1.001);
  EXPECT_DOUBLE_EQ(filter.inputs[6], 10.01);
  EXPECT_DOUBLE_EQ(filter.observations[2 * 8], 1.003);
  for (std::size_t i = 2 * 9; i < filter.observations.size(); ++i) EXPECT_TRUE(std::isnan(filter.observations[i]));
  EXPECT_EQ(batch.observed_steps(), 9);
  EXPECT_EQ(batch.describe(), "0: trial 0 from step 2, 1: trial 1 from step 1");
}

}  // namespace
}  // namespace rankflow::fit
