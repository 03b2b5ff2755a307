#include "sweep/group_size.hpp"

#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

namespace rankflow::sweep {
namespace {

using Scaling = std::function<double(int ranks)>;

double ideal(int ranks) {
  return 64.0 / ranks;
}
double none(int /*ranks*/) {
  return 64;
}
/// A quarter of the work is not shared.
double amdahl(int ranks) {
  return 16 + 48.0 / ranks;
}

std::vector<GroupSpeed> measured(const GroupDemand& demand, const Scaling& scaling) {
  std::vector<GroupSpeed> speeds;
  while (const auto ranks = next_group_size(demand, speeds)) speeds.push_back({*ranks, scaling(*ranks)});
  return speeds;
}

int chosen(const GroupDemand& demand, const Scaling& scaling) {
  return best_group_size(demand, measured(demand, scaling));
}

std::vector<int> sizes(const std::vector<GroupSpeed>& speeds) {
  std::vector<int> result;
  for (const auto& speed : speeds) result.push_back(speed.ranks);
  return result;
}

TEST(GroupSize, MakespanCountsRoundsOfCases) {
  const GroupDemand demand{.cases = 5, .processors = 8};
  EXPECT_EQ(groups_at_once(demand, 1), 5);  // no more than there are cases
  EXPECT_EQ(groups_at_once(demand, 2), 4);
  EXPECT_EQ(groups_at_once(demand, 3), 2);
  EXPECT_EQ(groups_at_once(demand, 16), 1);
  EXPECT_EQ(predicted_makespan(demand, {1, 10}), 10);
  EXPECT_EQ(predicted_makespan(demand, {2, 10}), 20);
  EXPECT_EQ(predicted_makespan(demand, {8, 10}), 50);
  EXPECT_EQ(predicted_makespan({.cases = 5, .processors = 8, .workers = 2}, {1, 10}), 30);
}

TEST(GroupSize, FewerCasesThanProcessorsTakeLargerGroupsWhereCasesScale) {
  EXPECT_EQ(chosen({.cases = 1, .processors = 8}, ideal), 8);
  EXPECT_EQ(chosen({.cases = 2, .processors = 8}, ideal), 4);
  EXPECT_EQ(chosen({.cases = 2, .processors = 8}, none), 1);
  EXPECT_EQ(chosen({.cases = 8, .processors = 8}, ideal), 1);  // equal makespans: the smaller groups
  EXPECT_EQ(chosen({.cases = 800, .processors = 8}, ideal), 1);
}

TEST(GroupSize, ALastRoundThatIsNearlyEmptyIsWorthSharing) {
  // 9 cases on 8 processors: two rounds of 64 s, or nine of 8 s on groups of 8.
  EXPECT_EQ(chosen({.cases = 9, .processors = 8}, ideal), 8);
  EXPECT_EQ(chosen({.cases = 9, .processors = 8}, amdahl), 2);  // 3 rounds of 40 s, against 2 of 64 and 5 of 28
  EXPECT_EQ(chosen({.cases = 9, .processors = 8}, none), 1);
}

TEST(GroupSize, WorkersThatWereAskedForShareTheProcessors) {
  EXPECT_EQ(chosen({.cases = 100, .processors = 8, .workers = 2}, ideal), 4);
  EXPECT_EQ(chosen({.cases = 100, .processors = 8, .workers = 2}, none), 1);
  EXPECT_EQ(chosen({.cases = 100, .processors = 8, .workers = 8}, ideal), 1);
}

TEST(GroupSize, WhatCannotPayIsNotMeasured) {
  EXPECT_TRUE(measured({.cases = 8, .processors = 8}, ideal).empty());
  EXPECT_TRUE(measured({.cases = 1, .processors = 1}, ideal).empty());
  EXPECT_EQ(sizes(measured({.cases = 1, .processors = 8}, ideal)), (std::vector<int>{1, 2, 4, 8}));
  EXPECT_EQ(sizes(measured({.cases = 1, .processors = 7}, ideal)), (std::vector<int>{1, 2, 4}));
  // Of 3 cases on 4 processors groups of 2 need two rounds: even ideally no gain, but 4 ranks could.
  EXPECT_EQ(sizes(measured({.cases = 3, .processors = 4}, ideal)), (std::vector<int>{1, 4}));
  // At most 2 % are to be gained at all.
  EXPECT_EQ(sizes(measured({.cases = 628, .processors = 64}, ideal)), std::vector<int>{});
}

TEST(GroupSize, SizesOnWhichACaseFailsAreLeftOut) {
  const auto needs_memory_of = [](int least) {
    return [least](int ranks) { return ranks < least ? std::numeric_limits<double>::infinity() : none(ranks); };
  };
  EXPECT_EQ(chosen({.cases = 1, .processors = 8}, needs_memory_of(4)), 4);
  EXPECT_EQ(chosen({.cases = 1, .processors = 8}, needs_memory_of(16)), 1);
  EXPECT_EQ(chosen({.cases = 1, .processors = 8}, needs_memory_of(1)), 1);
}

TEST(GroupSize, NoiseOfAMeasurementChoosesNoLargerGroup) {
  EXPECT_EQ(best_group_size({.cases = 1, .processors = 2}, {{1, 10.0}, {2, 9.8}}), 1);
  EXPECT_EQ(best_group_size({.cases = 1, .processors = 2}, {{1, 10.0}, {2, 9.0}}), 2);
}

}  // namespace
}  // namespace rankflow::sweep
