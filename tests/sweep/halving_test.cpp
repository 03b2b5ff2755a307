#include "sweep/halving.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>
#include <optional>
#include <sstream>

#include "plan_support.hpp"
#include "sweep/halving_record.hpp"

namespace rankflow::sweep {
namespace {

TEST(Halving, TheBestOfEachThreeGoOn) {
  Halving halving(2, 3, true);
  EXPECT_TRUE(halving.may_run("a"));
  halving.report({"a", 0, 1.0});
  halving.report({"b", 0, 3.0});
  EXPECT_FALSE(halving.may_run("a"));
  EXPECT_FALSE(halving.may_run("b"));
  halving.report({"c", 0, 2.0});
  EXPECT_FALSE(halving.may_run("a"));
  EXPECT_TRUE(halving.may_run("b"));
  EXPECT_FALSE(halving.may_run("c"));
  halving.report({"b", 1, 3.5});
  EXPECT_FALSE(halving.may_run("b"));
  EXPECT_EQ(halving.rungs_of("b"), 2U);
}

TEST(Halving, MinimisesAndDistrustsWhatIsNoNumber) {
  Halving halving(1, 2, false);
  halving.report({"a", 0, std::numeric_limits<double>::quiet_NaN()});
  halving.report({"b", 0, 5.0});
  EXPECT_TRUE(halving.may_run("b"));
  halving.report({"c", 0, 1.0});
  halving.report({"d", 0, 9.0});
  EXPECT_TRUE(halving.may_run("c"));
  EXPECT_FALSE(halving.may_run("d"));
  EXPECT_FALSE(halving.may_run("a"));
}

TEST(Halving, TheLeaderGoesOnWhenNobodyElseDid) {
  Halving halving(2, 3, true);
  EXPECT_FALSE(halving.promote_leader()) << "nobody has reported";
  halving.report({"a", 0, 1.0});
  halving.report({"b", 0, 3.0});
  EXPECT_TRUE(halving.promote_leader());
  EXPECT_TRUE(halving.may_run("b"));
  EXPECT_FALSE(halving.may_run("a"));
  EXPECT_FALSE(halving.promote_leader()) << "b is on its way";
  halving.report({"b", 1, 2.0});
  EXPECT_FALSE(halving.may_run("b"));
  EXPECT_TRUE(halving.promote_leader());
  EXPECT_TRUE(halving.may_run("b"));
  Halving hopeless(1, 3, true);
  hopeless.report({"a", 0, std::numeric_limits<double>::quiet_NaN()});
  EXPECT_FALSE(hopeless.promote_leader());
}

TEST(Halving, ASecondReportChangesNothing) {
  Halving halving(1, 2, true);
  halving.report({"a", 0, 1.0});
  halving.report({"a", 0, 9.0});
  EXPECT_FALSE(halving.may_run("a"));
}

/// 64 real fits (docs/sweeps.md): the metric held out after each of 27 epochs.
struct Study {
  static constexpr std::int64_t epochs = 27;
  std::vector<std::vector<double>> curves;

  Study() {
    std::ifstream file("tests/sweep/halving_study.csv");
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream cells(line);
      std::string cell;
      std::vector<double> numbers;
      while (std::getline(cells, cell, ',')) numbers.push_back(std::stod(cell));
      curves.emplace_back(numbers.begin() + 4, numbers.end());
    }
  }
  /// The best value held out until then, which is the metric of a fit that stopped there.
  double at(std::size_t number, std::int64_t epoch) const {
    const auto& curve = curves[number];
    return *std::max_element(curve.begin(), curve.begin() + epoch + 1);
  }
  double best() const {
    double value = -INFINITY;
    for (std::size_t i = 0; i < curves.size(); ++i) value = std::max(value, at(i, epochs));
    return value;
  }
};

struct Replay {
  double best = -INFINITY;
  std::int64_t epochs = 0;
  std::size_t finished = 0;
};

/// One worker that takes what may go on furthest first, else a new case.
Replay replay(const Study& study, const std::vector<std::size_t>& order, std::int64_t reduction) {
  std::vector<std::int64_t> rungs;
  for (std::int64_t rung = 1; rung < Study::epochs; rung *= reduction) rungs.push_back(rung);
  Halving halving(rungs.size(), reduction, true);
  Replay result;
  std::vector<bool> over(order.size());
  const auto name = [](std::size_t number) { return std::to_string(number); };
  while (true) {
    std::optional<std::size_t> next;
    for (const auto number : order)
      if (!over[number] && halving.may_run(name(number)) &&
          (!next || halving.rungs_of(name(number)) > halving.rungs_of(name(*next))))
        next = number;
    if (!next && halving.promote_leader()) continue;
    if (!next) return result;
    const auto rung = halving.rungs_of(name(*next));
    const auto from = rung == 0 ? 0 : rungs[rung - 1];
    const auto to = rung < rungs.size() ? rungs[rung] : Study::epochs;
    result.epochs += to - from;
    if (rung < rungs.size()) {
      halving.report({name(*next), rung, study.at(*next, to)});
    } else {
      over[*next] = true;
      ++result.finished;
      result.best = std::max(result.best, study.at(*next, to));
    }
  }
}

class RecordedStudy : public testing::TestWithParam<int> {};

TEST_P(RecordedStudy, FindsTheBestOfTheGridAtAThirdOfItsEpochs) {
  const Study study;
  ASSERT_EQ(study.curves.size(), 64U);
  std::vector<std::size_t> order(64);
  std::iota(order.begin(), order.end(), 0U);
  // Other orders: 64 is prime to odd strides.
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i * static_cast<std::size_t>(GetParam()) % 64;
  const auto grid = static_cast<std::int64_t>(study.curves.size()) * Study::epochs;
  const auto halved = replay(study, order, 3);
  RecordProperty("epochs", std::to_string(halved.epochs));
  EXPECT_GE(halved.best, study.best() - 0.02 * std::abs(study.best()));
  EXPECT_LE(3 * halved.epochs, grid);
  EXPECT_GE(halved.finished, 1U);
  // Control: with as many epochs whole fits in the same order find nothing as good, unless luck put it in front.
  double whole = -INFINITY;
  const auto affordable = static_cast<std::size_t>(halved.epochs / Study::epochs);
  for (std::size_t i = 0; i < affordable; ++i) whole = std::max(whole, study.at(order[i], Study::epochs));
  EXPECT_LT(whole, halved.best);
}

TEST(RecordedStudyReplay, OfAFewCasesFinishesOne) {
  const Study study;
  // 8 cases: 2 come to the second rung of three, and none would go on from there.
  std::vector<std::size_t> order(8);
  std::iota(order.begin(), order.end(), 0U);
  EXPECT_EQ(replay(study, order, 3).finished, 1U);
}

INSTANTIATE_TEST_SUITE_P(InSeveralOrders, RecordedStudy, testing::Values(1, 5, 11, 27, 37));

class RecordOfHalving : public SweepFile {};

TEST_F(RecordOfHalving, WorkersAgreeAboutTheStoredOrder) {
  auto plan = plan_of(folder_.path(), 6);
  plan.rungs = {1, 3};
  HalvingRecord first(plan), second(plan);
  const auto id = [&](std::size_t i) { return plan.cases[i].id; };
  first.report(id(0), 1, 1.0);
  second.report(id(1), 1, 4.0);
  first.report(id(2), 1, 3.0);
  second.report(id(3), 1, 8.0);
  first.update();
  second.update();
  HalvingRecord third(plan);
  third.update();
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(first.may_run(id(i)), second.may_run(id(i)));
    EXPECT_EQ(first.may_run(id(i)), third.may_run(id(i)));
  }
  // After three reports the second case was the best; the fourth case came too late to take that back.
  EXPECT_TRUE(third.may_run(id(1)));
  EXPECT_TRUE(third.may_run(id(3)));
  EXPECT_FALSE(third.may_run(id(2)));
  EXPECT_EQ(third.pause_of(id(1)), 3);
  EXPECT_EQ(third.pause_of(id(4)), 1);
}

TEST_F(RecordOfHalving, ReportsOfOtherCasesAndOtherEpochsSayNothing) {
  auto before = plan_of(folder_.path(), 3);
  before.rungs = {1, 3};
  HalvingRecord record(before);
  for (std::size_t i = 0; i < 3; ++i) record.report(before.cases[i].id, 1, static_cast<double>(10 + i));
  EXPECT_TRUE(record.may_run(before.cases[2].id));
  // The base was changed: three other cases, each worse than all before.
  auto after = plan_of(folder_.path(), 6);
  after.cases.erase(after.cases.begin(), after.cases.begin() + 3);
  after.rungs = {1, 3};
  HalvingRecord changed(after);
  for (std::size_t i = 0; i < 3; ++i) changed.report(after.cases[i].id, 1, static_cast<double>(i));
  EXPECT_TRUE(changed.may_run(after.cases[2].id));
  EXPECT_FALSE(changed.may_run(after.cases[1].id));
  // sweep.halving.first was changed: what the cases were after 1 epoch is no report after 2.
  before.rungs = {2, 6};
  HalvingRecord later(before);
  later.update();
  EXPECT_EQ(later.rungs_of(before.cases[0].id), 0U);
  EXPECT_EQ(later.pause_of(before.cases[2].id), 2);
  later.report(before.cases[0].id, 2, 1.0);
  EXPECT_EQ(later.rungs_of(before.cases[0].id), 1U);
}

TEST_F(RecordOfHalving, DamagedReportsAreNamed) {
  auto plan = plan_of(folder_.path(), 2);
  plan.rungs = {1};
  write("halving/000001", "{ id = \"a\" }");
  HalvingRecord record(plan);
  EXPECT_THROW(record.update(), InputOutputError);
}

class PlanOfHalving : public SweepFile {};

TEST_F(PlanOfHalving, RungsGrowUntilTheEndOfTheTraining) {
  const std::string common = "metric = 'log_likelihood'\n[sweep.grid]\nnetwork.rank = [1, 2]\n";
  auto plan = planned(common + "[sweep.set]\ntraining.epochs = 27\n[sweep.halving]\n").plan;
  EXPECT_THAT(plan.rungs, testing::ElementsAre(1, 3, 9));
  write_plan(plan);
  EXPECT_EQ(read_plan(plan.directory).rungs, plan.rungs);
  EXPECT_THAT(planned(common).plan.rungs, testing::IsEmpty());
  EXPECT_THAT(planned(common + "[sweep.halving]\nfirst = 10\nreduction = 4\n").plan.rungs,
              testing::ElementsAre(10, 40));
}

TEST_F(PlanOfHalving, TooFewCasesAreNoted) {
  const std::string halving =
      "[sweep.set]\ntraining.epochs = 27\n[sweep.halving]\n[sweep.grid]\nnetwork.rank = [1, 2, 3]\n";
  const auto notes = [&](int seeds) {
    return planned("metric = 'log_likelihood'\nseeds = " + std::to_string(seeds) + "\n" + halving).notes;
  };
  EXPECT_THAT(notes(8), testing::ElementsAre(mentions("24 cases are too few for 3 rungs", "takes 3^3")));
  EXPECT_THAT(notes(9), testing::IsEmpty());
}

TEST_F(PlanOfHalving, MistakesAreNamed) {
  const std::string metric = "metric = 'log_likelihood'\n";
  EXPECT_THAT(complaint("[sweep.halving]\n"), mentions("[sweep.halving] needs a metric", "held_out_log_likelihood"));
  EXPECT_THAT(complaint(metric + "[sweep.halving]\nfirst = 100\n"),
              mentions("'sweep.halving.first' = 100 must be below training.epochs = 100"));
  EXPECT_THAT(complaint(metric + "[sweep.halving]\nreduction = 1\n"), mentions("'sweep.halving.reduction' = 1"));
  EXPECT_THAT(complaint(metric + "[sweep.halving]\n[sweep.grid]\ntraining.epochs = [5, 9]\n"),
              mentions("compares cases after equal numbers of epochs", "train for 5 and for 9"));
  const std::string different = "[sweep.zip]\nranks = [1, 2]\nnetwork.rank = [1, 2]\n";
  EXPECT_THAT(complaint(metric + "[sweep.halving]\n" + different),
              mentions("their ranks are 1 and 2 (with", "give all the same 'ranks'"));
  EXPECT_EQ(complaint(metric + different), "");
  EXPECT_EQ(complaint(metric + "ranks = 2\n[sweep.halving]\n"), "");
}

}  // namespace
}  // namespace rankflow::sweep
