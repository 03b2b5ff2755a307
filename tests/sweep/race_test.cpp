// Many processes at one ledger: every case is done exactly once, also when processes are killed at any moment.
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweep/case_queue.hpp"
#include "sweep/ledger_support.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::size_t cases = 1000;
constexpr std::size_t processes = 32;

/// Appends one line that other processes' lines do not mix with.
void note(const Plan& plan, std::size_t index) {
  const int file = ::open((plan.directory / "executed").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  const auto line = std::to_string(index) + "\n";
  if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(1);
  ::close(file);
}

/// What a worker does, but for the computing.
[[noreturn]] void work_on(const Plan& plan) {
  Ledger ledger(plan.directory);
  CaseQueue queue(plan, ledger, 1);
  while (true) {
    const auto next = queue.next();
    if (const auto* claim = std::get_if<Claim>(&next)) {
      note(plan, claim->index);
      Outcome outcome;
      outcome.sessions = claim->session;
      ledger.finish(plan.cases[claim->index].id, claim->session, outcome);
    } else if (const auto* doubt = std::get_if<Doubt>(&next)) {
      ::usleep(static_cast<useconds_t>(1e6 * doubt->seconds));
    } else {
      ::_exit(0);
    }
  }
}

pid_t start(const Plan& plan) {
  const pid_t child = ::fork();
  if (child == 0) work_on(plan);
  return child;
}

std::vector<int> executions(const Plan& plan) {
  std::vector<int> count(plan.cases.size(), 0);
  std::ifstream file(plan.directory / "executed");
  for (std::size_t index = 0; file >> index;) ++count.at(index);
  return count;
}

/// Every outcome is there, once, and belongs to its case.
void expect_all_done(const Plan& plan) {
  Ledger ledger(plan.directory);
  const auto survey = ledger.survey();
  EXPECT_EQ(survey.size(), plan.cases.size());
  for (const auto& one : plan.cases) {
    ASSERT_TRUE(survey.contains(one.id));
    EXPECT_TRUE(survey.at(one.id).done);
    ASSERT_TRUE(ledger.outcome(one.id));
    EXPECT_EQ(ledger.outcome(one.id)->sessions, survey.at(one.id).sessions) << "recorded by whoever began it last";
  }
}

TEST(Race, EveryCaseIsDoneOnce) {
  const SweepFolder sweep;
  const auto plan = plan_of(sweep.path(), cases);
  std::vector<pid_t> workers;
  for (std::size_t i = 0; i < processes; ++i) workers.push_back(start(plan));
  for (const pid_t worker : workers) {
    int status = 0;
    ::waitpid(worker, &status, 0);
    EXPECT_EQ(status, 0);
  }
  expect_all_done(plan);
  EXPECT_THAT(executions(plan), testing::Each(1));
}

TEST(Race, KillsLoseNothingAndDoubleNothing) {
  const SweepFolder sweep;
  auto plan = plan_of(sweep.path(), cases);
  plan.stale_after = 3;  // a kill between the creation of a claim and its text leaves an owner that nobody knows
  std::mt19937 random(20241122);
  std::set<pid_t> workers;
  int kills = 0;
  const auto all_done = [&] {
    const auto survey = Ledger(plan.directory).survey();
    return std::ranges::count_if(survey, [](const auto& entry) { return entry.second.done; }) ==
           static_cast<std::ptrdiff_t>(cases);
  };
  constexpr int rounds_between_looks = 10;
  constexpr int most_kills = 300;
  for (int round = 1; kills < most_kills && (round % rounds_between_looks != 0 || !all_done()); ++round) {
    while (workers.size() < processes) workers.insert(start(plan));
    ::usleep(static_cast<useconds_t>(random() % 10000));
    for (int i = 0; i < 3; ++i) {
      const auto victim = *std::next(workers.begin(), static_cast<std::ptrdiff_t>(random() % workers.size()));
      ::kill(victim, SIGKILL);
      int status = 0;
      ::waitpid(victim, &status, 0);
      workers.erase(victim);
      kills += WIFSIGNALED(status) ? 1 : 0;
    }
  }
  // Claims of owners that nobody knows are free after stale_after only; until then workers come and find nothing.
  const auto begin = std::chrono::steady_clock::now();
  while (!all_done()) {
    ASSERT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
    std::erase_if(workers, [](pid_t worker) { return ::waitpid(worker, nullptr, WNOHANG) == worker; });
    if (workers.empty()) workers.insert(start(plan));
    ::usleep(20000);
  }
  for (const pid_t worker : workers) ::waitpid(worker, nullptr, 0);
  EXPECT_GT(kills, 5) << "or this says nothing about kills";
  expect_all_done(plan);
  const auto count = executions(plan);
  EXPECT_THAT(count, testing::Each(testing::Ge(1)));
  // A case is executed again only when the process that was at it was killed.
  std::int64_t again = 0;
  Ledger ledger(plan.directory);
  for (std::size_t i = 0; i < cases; ++i) {
    EXPECT_LE(count[i], ledger.state(plan.cases[i].id).sessions);
    again += ledger.state(plan.cases[i].id).sessions - 1;
  }
  EXPECT_LE(again, kills);
  std::printf("%d kills, %ld cases taken over\n", kills, static_cast<long>(again));
}

}  // namespace
}  // namespace rankflow::sweep
