#include "sweep/measured_ranks.hpp"

#include <limits>

#include "plan_support.hpp"

namespace rankflow::sweep {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class MeasuredRanksFile : public SweepFile {
 protected:
  static MeasuredRanks example() {
    return {.ranks = 2,
            .speeds = {{1, 10.24}, {2, 5.0}, {4, std::numeric_limits<double>::infinity()}},
            .demand = {.cases = 3, .processors = 4, .workers = 0},
            .case_id = "0123456789abcdef",
            .host = "here",
            .finished = "2024-05-01T12:00:00Z",
            .note = "with 4 ranks: no \"memory\""};
  }
  std::filesystem::path here() const { return folder_.path(); }
};

TEST_F(MeasuredRanksFile, IsReadAsItWasWrittenAndWrittenOnce) {
  EXPECT_FALSE(read_measured_ranks(here()));
  EXPECT_TRUE(record_measured_ranks(here(), example()));
  auto other = example();
  other.ranks = 4;
  EXPECT_FALSE(record_measured_ranks(here(), other));
  const auto found = read_measured_ranks(here());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ranks, 2);
  EXPECT_EQ(found->demand.cases, 3);
  EXPECT_EQ(found->case_id, "0123456789abcdef");
  EXPECT_EQ(text_of(*found),
            "2 (measured for 3 cases on 4 processors: 10.2 s with 1, 5.0 s with 2, failed with 4); "
            "with 4 ranks: no \"memory\"");
}

TEST_F(MeasuredRanksFile, SaysWhenItIsDamaged) {
  const auto of = [&](const std::string& text) {
    write("ranks.toml", text);
    return [&] { read_measured_ranks(here()); };
  };
  EXPECT_THAT(of(""),
              ThrowsMessage<InputOutputError>(mentions("ranks.toml' is damaged: 'ranks' is missing",
                                                       "delete it, and the ranks of a case are measured again")));
  EXPECT_THAT(of("ranks = 0\n"),
              ThrowsMessage<InputOutputError>(HasSubstr("'ranks' = 0 must be an integer of at least 1")));
  EXPECT_THAT(of("ranks = ["), ThrowsMessage<InputOutputError>(HasSubstr("not valid TOML")));
}

TEST_F(MeasuredRanksFile, GivesRanksToCasesThatAskForIt) {
  auto plan = planned(
                  "ranks = 'measured'\n[[sweep.cases]]\nnetwork.rank = 1\n"
                  "[[sweep.cases]]\nnetwork.rank = 3\nranks = 4\n",
                  {"sweep.directory=" + here().string()})
                  .plan;
  EXPECT_TRUE(asks_for_measurement(plan));
  EXPECT_THAT([&] { recorded_ranks(plan); },
              ThrowsMessage<ConfigurationError>(
                  mentions("nothing was measured in", "'rankflow sweep measure'", "give a number: sweep.ranks = 1")));
  EXPECT_EQ(recorded_ranks(plan, 3), 3);
  record_measured_ranks(here(), example());
  EXPECT_EQ(recorded_ranks(plan, 3), 2);
  set_measured_ranks(plan, recorded_ranks(plan));
  EXPECT_EQ(plan.cases[0].ranks, 2);
  EXPECT_EQ(plan.cases[1].ranks, 4);
  EXPECT_FALSE(asks_for_measurement(plan));
}

TEST_F(MeasuredRanksFile, IsDoubtedWhereAnotherSizeWouldBeChosen) {
  auto measured = example();
  measured.speeds = {{1, 10.0}, {2, 6.0}};  // three cases on two processors: 20 s in pairs, 18 s one after the other
  measured.demand = {.cases = 3, .processors = 2, .workers = 0};
  EXPECT_EQ(doubt_about(measured, measured.demand), "");
  EXPECT_EQ(doubt_about(measured, {.cases = 1, .processors = 2, .workers = 0}), "");
  EXPECT_THAT(doubt_about(measured, {.cases = 4, .processors = 2, .workers = 0}),
              HasSubstr("measured for 3 cases on 2 processors, and another number may be faster for 4 cases"));
  EXPECT_THAT(doubt_about(measured, {.cases = 3, .processors = 16, .workers = 0}), HasSubstr("on 16 processors"));
}

TEST_F(MeasuredRanksFile, ChangesNoIdOfACase) {
  const std::string grid = "[sweep.grid]\nnetwork.rank = [1, 2]\n";
  EXPECT_EQ(ids(planned("ranks = 'measured'\n" + grid)), ids(planned("ranks = 4\n" + grid)));
  EXPECT_EQ(planned(grid, {"sweep.ranks=measured"}).plan.cases[0].ranks, ranks_to_measure);
  EXPECT_EQ(planned(grid).plan.cases[0].ranks, 1);
}

}  // namespace
}  // namespace rankflow::sweep
