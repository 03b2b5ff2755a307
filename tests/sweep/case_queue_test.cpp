#include "sweep/case_queue.hpp"

#include <array>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweep/ledger_support.hpp"

namespace rankflow::sweep {
namespace {

using testing::ElementsAre;

std::filesystem::path claim_file(const Plan& plan, std::size_t index, int session = 1) {
  const auto& id = plan.cases[index].id;
  return plan.directory / "ledger" / id.substr(0, 2) / (id + "." + std::to_string(session));
}

/// Indices in the order in which they are handed out, until nothing is left.
std::vector<std::size_t> drain(CaseQueue& queue) {
  std::vector<std::size_t> order;
  while (true) {
    const auto next = queue.next();
    const auto* claim = std::get_if<Claim>(&next);
    if (claim == nullptr) return order;
    order.push_back(claim->index);
  }
}

TEST(CaseQueue, GoesThroughThePlanInOrder) {
  const SweepFolder sweep;
  const auto plan = plan_of(sweep.path(), 5);
  Ledger ledger(sweep.path());
  CaseQueue queue(plan, ledger, 1);
  EXPECT_THAT(drain(queue), ElementsAre(0, 1, 2, 3, 4));
}

TEST(CaseQueue, OnlyCasesOfItsRanks) {
  const SweepFolder sweep;
  auto plan = plan_of(sweep.path(), 5);
  plan.cases[1].ranks = plan.cases[4].ranks = 2;
  Ledger ledger(sweep.path());
  CaseQueue two(plan, ledger, 2);
  EXPECT_THAT(drain(two), ElementsAre(1, 4));
  CaseQueue all(plan, ledger, 0);
  EXPECT_THAT(drain(all), ElementsAre(0, 2, 3));
}

TEST(CaseQueue, TwoShareThePlanWithoutOverlap) {
  const SweepFolder sweep;
  const auto plan = plan_of(sweep.path(), 101);
  Ledger ledger(sweep.path());
  CaseQueue one(plan, ledger, 1);
  CaseQueue other(plan, ledger, 1);
  std::vector<std::size_t> given;
  for (bool any = true; any;) {
    any = false;
    for (int i = 0; i < 4; ++i) {  // the second is slower
      const auto next = (i == 3 ? other : one).next();
      if (const auto* claim = std::get_if<Claim>(&next)) {
        given.push_back(claim->index);
        any = true;
      }
    }
  }
  std::vector<std::size_t> all(plan.cases.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  EXPECT_EQ(given, all) << "in order, too";
}

TEST(CaseQueue, ReleasedCasesComeFirst) {
  const SweepFolder sweep;
  const auto plan = plan_of(sweep.path(), 4);
  Ledger ledger(sweep.path());
  for (const std::size_t index : {0, 2}) ledger.claim(plan.cases[index].id);
  ledger.end(plan.cases[2].id, 1, Ending::released, {.seconds = 1, .reason = "signal 15"});
  CaseQueue queue(plan, ledger, 1);
  const auto first = std::get<Claim>(queue.next());
  EXPECT_EQ(first.index, 2U);
  EXPECT_EQ(first.session, 2);
  EXPECT_EQ(first.deaths, 0);
  EXPECT_EQ(std::get<Claim>(queue.next()).index, 1U);
  EXPECT_EQ(std::get<Claim>(queue.next()).index, 3U);
  EXPECT_EQ(std::get<Nothing>(queue.next()).held, 4U) << "this process lives, and holds all four";
}

TEST(CaseQueue, TheLastOfAFewCasesIsFinishedBeforeOthersAreHalted) {
  const SweepFolder sweep;
  auto plan = plan_of(sweep.path(), 3);
  plan.rungs = {1, 4};
  plan.reduction = 4;
  Ledger ledger(sweep.path());
  CaseQueue queue(plan, ledger, 1);
  HalvingRecord record(plan);
  const auto pauses = [&](const Claim& claim) {
    EXPECT_EQ(claim.aim, Aim::pause);
    record.report(plan.cases[claim.index].id, claim.epochs, claim.index == 1 ? 9.0 : 1.0);
    ledger.end(plan.cases[claim.index].id, claim.session, Ending::released, {});
  };
  for (int i = 0; i < 3; ++i) pauses(std::get<Claim>(queue.next()));
  auto leader = std::get<Claim>(queue.next());
  EXPECT_EQ(leader.index, 1U);
  EXPECT_EQ(leader.epochs, 4);
  CaseQueue other(plan, ledger, 1);
  EXPECT_TRUE(std::holds_alternative<Doubt>(other.next())) << "nobody is halted while the leader comes to a rung";
  pauses(leader);
  leader = std::get<Claim>(other.next());  // a worker that did not choose the leader before
  EXPECT_EQ(leader.index, 1U);
  EXPECT_EQ(leader.aim, Aim::finish);
  ASSERT_TRUE(ledger.finish(plan.cases[1].id, leader.session, {}));
  for (const std::size_t index : {0U, 2U}) {
    const auto halted = std::get<Claim>(other.next());
    EXPECT_EQ(halted.index, index);
    EXPECT_EQ(halted.aim, Aim::halt);
    ASSERT_TRUE(ledger.finish(plan.cases[index].id, halted.session, {}));
  }
}

TEST(CaseQueue, AWorkerStaysWhileAReportMayLetACaseGoOn) {
  const SweepFolder sweep;
  auto plan = plan_of(sweep.path(), 3);
  plan.rungs = {1};
  plan.reduction = 2;
  Ledger ledger(sweep.path());
  HalvingRecord record(plan);
  CaseQueue queue(plan, ledger, 1);
  std::array<Claim, 3> claims;
  for (auto& claim : claims) claim = std::get<Claim>(queue.next());
  const auto comes_to_rung = [&](const Claim& claim, double value) {
    record.report(plan.cases[claim.index].id, claim.epochs, value);
    ledger.end(plan.cases[claim.index].id, claim.session, Ending::released, {});
  };
  comes_to_rung(claims[0], 2.0);
  const auto doubt = queue.next();
  ASSERT_TRUE(std::holds_alternative<Doubt>(doubt)) << "two others run to the rung";
  EXPECT_LE(std::get<Doubt>(doubt).seconds, 1);
  comes_to_rung(claims[1], 1.0);
  const auto best = std::get<Claim>(queue.next());
  EXPECT_EQ(best.index, 0U) << "of two";
  EXPECT_EQ(best.aim, Aim::finish);
  ASSERT_TRUE(std::holds_alternative<Doubt>(queue.next())) << "the third may let the second go on, or go on itself";
  comes_to_rung(claims[2], 0.0);
  // While the best one runs to its end: it lets nobody go on any more.
  for (const std::size_t index : {1U, 2U}) {
    const auto halted = std::get<Claim>(queue.next());
    EXPECT_EQ(halted.index, index);
    EXPECT_EQ(halted.aim, Aim::halt);
    ASSERT_TRUE(ledger.finish(plan.cases[index].id, halted.session, {}));
  }
  EXPECT_EQ(std::get<Nothing>(queue.next()).held, 1U);
}

TEST(CaseQueue, GapsAreFoundInTheEnd) {
  const SweepFolder sweep;
  const auto plan = plan_of(sweep.path(), 64);
  Ledger ledger(sweep.path());
  CaseQueue queue(plan, ledger, 1);
  EXPECT_EQ(std::get<Claim>(queue.next()).index, 0U);
  // Others took nearly all, in no order.
  std::vector<std::size_t> gaps{3, 17, 18, 40, 61};
  for (std::size_t i = 1; i < plan.cases.size(); ++i)
    if (!std::ranges::count(gaps, i)) ledger.claim(plan.cases[i].id);
  EXPECT_THAT(drain(queue), testing::UnorderedElementsAreArray(gaps));
}

TEST(CaseQueue, ACaseWhoseProcessIsGoneIsTakenAtOnce) {
  const SweepFolder sweep;
  const auto plan = plan_of(sweep.path(), 2);
  Ledger ledger(sweep.path());
  if (const pid_t child = ::fork(); child == 0) {
    Ledger(sweep.path()).claim(plan.cases[1].id);
    ::_exit(0);
  } else {
    ::waitpid(child, nullptr, 0);
  }
  CaseQueue queue(plan, ledger, 1);
  const auto claim = std::get<Claim>(queue.next());
  EXPECT_EQ(claim.index, 1U);
  EXPECT_EQ(claim.session, 2);
  EXPECT_EQ(claim.deaths, 1);
  EXPECT_THAT(ledger.notes(plan.cases[1].id, 1).reason, testing::HasSubstr("is gone"));
}

TEST(CaseQueue, ASilentHolderIsWatchedBeforeItIsTakenForDead) {
  const SweepFolder sweep;
  auto plan = plan_of(sweep.path(), 1);
  plan.stale_after = 2;
  Ledger ledger(sweep.path());
  ledger.claim(plan.cases[0].id);
  CaseQueue queue(plan, ledger, 1);
  EXPECT_EQ(std::get<Nothing>(queue.next()).held, 1U) << "it lives";
  make_older(claim_file(plan, 0), 100);
  auto next = queue.next();
  ASSERT_TRUE(std::holds_alternative<Doubt>(next))
      << "an old heartbeat alone says nothing: the disk may have stood still";
  ledger.beat(plan.cases[0].id, 1);
  EXPECT_TRUE(std::holds_alternative<Nothing>(queue.next()));
  make_older(claim_file(plan, 0), 100);
  int doubts = 0;
  for (next = queue.next(); std::holds_alternative<Doubt>(next); next = queue.next()) {
    ::usleep(static_cast<useconds_t>(1e6 * std::get<Doubt>(next).seconds));
    ASSERT_LT(++doubts, 100);
  }
  EXPECT_GE(doubts, 2);
  const auto claim = std::get<Claim>(next);
  EXPECT_EQ(claim.session, 2);
  EXPECT_EQ(claim.deaths, 1);
}

TEST(CaseQueue, AHeartbeatOfTheFutureIsWatchedToo) {
  const SweepFolder sweep;
  auto plan = plan_of(sweep.path(), 1);
  plan.stale_after = 1;
  Ledger ledger(sweep.path());
  ledger.claim(plan.cases[0].id);
  CaseQueue queue(plan, ledger, 1);
  make_older(claim_file(plan, 0), -1000);  // made before the clock was put back
  auto next = queue.next();
  ASSERT_TRUE(std::holds_alternative<Doubt>(next));
  ledger.beat(plan.cases[0].id, 1);
  EXPECT_TRUE(std::holds_alternative<Nothing>(queue.next())) << "it lives";
  make_older(claim_file(plan, 0), -1000);
  for (next = queue.next(); std::holds_alternative<Doubt>(next); next = queue.next())
    ::usleep(static_cast<useconds_t>(1e6 * std::get<Doubt>(next).seconds));
  EXPECT_EQ(std::get<Claim>(next).deaths, 1);
}

/// Operations for the claims that one worker makes while `others` take turns with it.
double operations_per_claim(std::size_t cases, std::size_t others) {
  const SweepFolder sweep;
  const auto plan = plan_of(sweep.path(), cases);
  Ledger ledger(sweep.path());
  Ledger ledger_of_others(sweep.path());
  CaseQueue queue(plan, ledger, 1);
  queue.next();  // which looks at all
  const auto before = ledger.metadata_operations();
  std::size_t position = 1;
  constexpr int claims = 6;
  for (int i = 0; i < claims; ++i) {
    for (std::size_t other = 0; other < others; ++other) ledger_of_others.claim(plan.cases[position++].id);
    EXPECT_EQ(std::get<Claim>(queue.next()).index, position++);
  }
  return static_cast<double>(ledger.metadata_operations() - before) / claims;
}

TEST(CaseQueue, AClaimCostsTheSameInALargeSweep) {
  EXPECT_EQ(operations_per_claim(200, 3), operations_per_claim(4000, 3));
  // Doubling, halving and a creation that fails or two; a new ledger folder now and then.
  EXPECT_LE(operations_per_claim(4000, 3), 2 * 2 + 4 + 3);
  EXPECT_LE(operations_per_claim(4000, 127), 2 * 7 + 4 + 3);
  EXPECT_GT(operations_per_claim(4000, 127), operations_per_claim(4000, 3)) << "the control";
}

}  // namespace
}  // namespace rankflow::sweep
