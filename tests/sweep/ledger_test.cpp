#include "sweep/ledger.hpp"

#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>

#include <sys/resource.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "sweep/ledger_support.hpp"

namespace rankflow::sweep {
namespace {

using testing::HasSubstr;

const std::string id = "ab00000000000001";

Outcome some_outcome() {
  return {.status = Status::done,
          .exit_code = 0,
          .message = "a \"message\"\nof two lines",
          .seconds = 1.0 / 3,
          .sessions = 2,
          .deaths = 1,
          .ranks = 3,
          .host = "node7",
          .finished = "2024-05-01T12:00:00Z",
          .metrics = {{"log_likelihood", -1.5e-300}, {"held_out", std::numeric_limits<double>::quiet_NaN()}}};
}

TEST(Outcome, ReadsBackAsWritten) {
  const auto outcome = some_outcome();
  const auto read = parse_outcome(text_of(outcome), "x");
  EXPECT_EQ(read.status, outcome.status);
  EXPECT_EQ(read.message, outcome.message);
  EXPECT_EQ(read.seconds, outcome.seconds);
  EXPECT_EQ(read.sessions, 2);
  EXPECT_EQ(read.deaths, 1);
  EXPECT_EQ(read.ranks, 3);
  EXPECT_EQ(read.host, "node7");
  EXPECT_EQ(read.finished, outcome.finished);
  EXPECT_EQ(read.metrics.at("log_likelihood"), -1.5e-300);
  EXPECT_TRUE(std::isnan(read.metrics.at("held_out")));
}

TEST(Outcome, DamagedRecordsAreNamed) {
  auto text = text_of(some_outcome());
  for (const auto& damaged :
       {text.substr(0, text.size() / 2), std::string("status = \"gone\"\n"), std::string("= 3")}) {
    try {
      parse_outcome(damaged, "ledger/ab/x.done");
      ADD_FAILURE() << damaged;
    } catch (const InputOutputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("ledger/ab/x.done"));
    }
  }
}

TEST(Ledger, OneClaimsAndTheOthersDoNot) {
  const SweepFolder sweep;
  Ledger first(sweep.path());
  Ledger second(sweep.path());
  EXPECT_FALSE(first.begun(id));
  EXPECT_TRUE(first.claim(id));
  EXPECT_FALSE(second.claim(id));
  EXPECT_TRUE(second.begun(id));
  EXPECT_TRUE(second.claim("ab00000000000002"));
}

TEST(Ledger, OneOutcomeIsRecordedAndStays) {
  const SweepFolder sweep;
  Ledger ledger(sweep.path());
  ASSERT_TRUE(ledger.claim(id));
  EXPECT_EQ(ledger.outcome(id), std::nullopt);
  EXPECT_TRUE(ledger.finish(id, 1, some_outcome()));
  auto other = some_outcome();
  other.status = Status::failed;
  EXPECT_FALSE(ledger.finish(id, 1, other));
  EXPECT_EQ(ledger.outcome(id)->status, Status::done);
  EXPECT_FALSE(ledger.claim(id, 2)) << "it is done";
}

TEST(Ledger, WhoeverLostItsClaimLearnsItAndRecordsNothing) {
  const SweepFolder sweep;
  Ledger sleeper(sweep.path());
  Ledger taker(sweep.path());
  ASSERT_TRUE(sleeper.claim(id));
  EXPECT_TRUE(sleeper.beat(id, 1));
  ASSERT_TRUE(taker.claim(id, 2));
  EXPECT_FALSE(sleeper.beat(id, 1));
  EXPECT_FALSE(sleeper.finish(id, 1, some_outcome()));
  EXPECT_EQ(taker.outcome(id), std::nullopt);
  EXPECT_TRUE(taker.finish(id, 2, some_outcome()));
}

TEST(Ledger, StatesOfOneCaseAndOfAll) {
  const SweepFolder sweep;
  Ledger ledger(sweep.path());
  const auto expect = [&](const CaseState& expected, const char* when) {
    const auto all = ledger.survey();
    for (const auto& state : {ledger.state(id), all.contains(id) ? all.at(id) : CaseState{}}) {
      EXPECT_EQ(state.done, expected.done) << when;
      EXPECT_EQ(state.sessions, expected.sessions) << when;
      EXPECT_EQ(state.released, expected.released) << when;
      EXPECT_EQ(state.last_ended, expected.last_ended) << when;
    }
  };
  expect({}, "untouched");
  ledger.claim(id);
  expect({.sessions = 1}, "running");
  ledger.end(id, 1, Ending::released, {.seconds = 2.5, .reason = "signal 15"});
  expect({.sessions = 1, .released = 1, .last_ended = true}, "released");
  ledger.claim(id, 2);
  expect({.sessions = 2, .released = 1}, "running again");
  ledger.end(id, 2, Ending::died, {.seconds = 0, .reason = "killed"});
  ledger.end(id, 2, Ending::died, {.seconds = 0, .reason = "a second opinion"});
  expect({.sessions = 2, .released = 1, .last_ended = true}, "dead");
  EXPECT_EQ(ledger.state(id).deaths(), 1);
  EXPECT_EQ(ledger.notes(id, 2).seconds, 2.5);
  EXPECT_EQ(ledger.notes(id, 2).reason, "session 2: killed");
  ledger.claim(id, 3);
  ledger.end(id, 3, Ending::signalled, {.seconds = 0, .reason = "signal"});
  expect({.sessions = 3, .released = 1}, "asked to stop, but still at it");
  EXPECT_EQ(ledger.state(id).deaths(), 1) << "killed by somebody, not by itself";
  EXPECT_EQ(ledger.survey().at(id).deaths(), 1);
  ledger.claim(id, 4);
  EXPECT_EQ(ledger.state(id).deaths(), 2) << "the control: nobody asked it";
  ledger.finish(id, 4, some_outcome());
  expect({.done = true, .sessions = 4, .released = 1}, "done");
}

TEST(Ledger, ARetryBeginsAnewAndForgetsNothing) {
  const SweepFolder sweep;
  Ledger ledger(sweep.path());
  auto failure = some_outcome();
  failure.status = Status::dead;
  ledger.claim(id);
  ledger.end(id, 1, Ending::died, {.seconds = 3, .reason = "killed"});
  ledger.claim(id, 2);
  ASSERT_TRUE(ledger.finish(id, 2, failure));
  EXPECT_FALSE(ledger.claim(id, 3)) << "it is over";
  EXPECT_FALSE(ledger.retry_note(id, 2));
  ASSERT_TRUE(ledger.retry(id, 2, {.seconds = 4, .reason = "dead"}));
  EXPECT_FALSE(ledger.retry(id, 2, {.seconds = 4, .reason = "dead"})) << "once";
  for (const auto& state : {ledger.state(id), ledger.survey().at(id)}) {
    EXPECT_TRUE(state.waiting());
    EXPECT_EQ(state.retried, 2);
    EXPECT_EQ(state.deaths(), 0);
  }
  EXPECT_FALSE(ledger.claim(id, 3)) << "by who has not seen the retry";
  ASSERT_TRUE(ledger.claim(id, 3, 2));
  EXPECT_FALSE(ledger.finish(id, 2, some_outcome())) << "by who believes to hold it still";
  ledger.end(id, 3, Ending::died, {.seconds = 5, .reason = "killed again"});
  EXPECT_EQ(ledger.state(id).deaths(), 1);
  EXPECT_EQ(ledger.notes(id, 3).seconds, 3 + 4 + 5);
  EXPECT_EQ(ledger.notes(id, 3, 2).reason, "session 3: killed again");
  ASSERT_TRUE(ledger.claim(id, 4, 2));
  EXPECT_EQ(ledger.outcome(id, 2), std::nullopt);
  ASSERT_TRUE(ledger.finish(id, 4, some_outcome(), 2));
  EXPECT_TRUE(ledger.state(id).done);
  EXPECT_TRUE(ledger.survey().at(id).done);
  EXPECT_EQ(ledger.outcome(id, 2)->status, Status::done);
  EXPECT_EQ(ledger.outcome(id)->status, Status::dead) << "what was recorded stays";
}

TEST(Ledger, TheHolderIsKnownAndItsSilence) {
  const SweepFolder sweep;
  Ledger ledger(sweep.path());
  EXPECT_EQ(ledger.holding(id, 1).has_value(), false);
  ledger.claim(id);
  const auto holding = ledger.holding(id, 1);
  ASSERT_TRUE(holding);
  EXPECT_EQ(holding->owner.process, Owner::myself().process);
  EXPECT_EQ(holding->owner.host, Owner::myself().host);
  EXPECT_FALSE(holding->owner.surely_gone());
  EXPECT_LT(holding->silence, 5);
  make_older(sweep.path() / "ledger" / "ab" / (id + ".1"), 1000);
  EXPECT_GT(ledger.holding(id, 1)->silence, 995);
  ledger.beat(id, 1);
  EXPECT_LT(ledger.holding(id, 1)->silence, 5);
}

TEST(Ledger, AClaimWithoutTextHasAnUnknownOwner) {
  const SweepFolder sweep;
  Ledger ledger(sweep.path());
  std::filesystem::create_directories(sweep.path() / "ledger" / "ab");
  std::ofstream(sweep.path() / "ledger" / "ab" / (id + ".1")) << "host = \"nod";
  EXPECT_FALSE(ledger.claim(id));
  const auto holding = ledger.holding(id, 1);
  ASSERT_TRUE(holding);
  EXPECT_EQ(holding->owner.host, "");
  EXPECT_FALSE(holding->owner.surely_gone());
}

/// While it lives no file of this process can grow, as on a full disk.
class FullDisk {
 public:
  FullDisk() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

std::size_t names_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

TEST(Ledger, AFullDiskIsNoDeathOfACase) {
  const SweepFolder sweep;
  Ledger ledger(sweep.path());
  ASSERT_TRUE(ledger.claim(id));
  const std::string other = "ab00000000000002";
  {
    const FullDisk full;
    EXPECT_THROW(ledger.claim(other), InputOutputError);
    EXPECT_FALSE(ledger.begun(other)) << "a claim that nobody holds";
    EXPECT_THROW(ledger.finish(id, 1, some_outcome()), InputOutputError);
    EXPECT_EQ(names_in(sweep.path() / "ledger" / "ab"), 1U) << "what could not be written is left";
    EXPECT_EQ(ledger.state(id).deaths(), 1) << "when its process ends now";
    ledger.excuse(id, 1);
  }
  EXPECT_EQ(ledger.state(id).deaths(), 0);
  EXPECT_TRUE(ledger.claim(other));
  EXPECT_TRUE(ledger.claim(id, 2));
  EXPECT_TRUE(ledger.finish(id, 2, some_outcome()));
}

TEST(Ledger, DamagedFilesHideNoOthers) {
  const SweepFolder sweep;
  Ledger ledger(sweep.path());
  const auto damage = [&](const std::string& suffix) {
    std::ofstream(sweep.path() / "ledger" / "ab" / (id + suffix)) << "= [";
  };
  ASSERT_TRUE(ledger.claim(id));
  ledger.end(id, 1, Ending::died, {.seconds = 3, .reason = "killed"});
  EXPECT_EQ(ledger.notes(id, 1).seconds, 3);
  damage(".1.died");
  EXPECT_EQ(ledger.notes(id, 1).seconds, 0);
  ASSERT_TRUE(ledger.claim(id, 2));
  ASSERT_TRUE(ledger.finish(id, 2, some_outcome()));
  EXPECT_EQ(ledger.outcome(id)->status, Status::done);
  damage(".done");
  EXPECT_EQ(ledger.outcome(id)->status, Status::failed);
  EXPECT_THAT(ledger.outcome(id)->message, testing::AllOf(HasSubstr(id + ".done"), HasSubstr("--retry failed")));
}

TEST(Owner, AProcessThatEndedIsGoneAndAnotherOfItsNumberToo) {
  const auto me = Owner::myself();
  EXPECT_FALSE(me.surely_gone());
  auto gone = me;
  gone.process = ended_process();
  EXPECT_TRUE(gone.surely_gone());
  auto namesake = me;
  namesake.started -= 1;
  EXPECT_TRUE(namesake.surely_gone());
  auto elsewhere = gone;
  elsewhere.instance += "-of-another-node";
  EXPECT_FALSE(elsewhere.surely_gone()) << "nobody can tell from here";
}

TEST(Ledger, RefusalsNameTheFile) {
  const SweepFolder sweep;
  std::ofstream(sweep.path() / "ledger") << "a file where a folder should be";
  Ledger ledger(sweep.path());
  try {
    ledger.claim(id);
    ADD_FAILURE();
  } catch (const InputOutputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("ledger/ab/" + id + ".1"));
  }
}

}  // namespace
}  // namespace rankflow::sweep
