#include "plan_support.hpp"

namespace rankflow::sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Expanding : public SweepFile {};

TEST_F(Expanding, GridGivesEveryCombinationInOrder) {
  EXPECT_THAT(cases(planned("[sweep.grid]\n'network.rank' = [1, 2]\nnetwork.neurons = [8, 16]\n")),
              ElementsAre("network.rank=1 network.neurons=8", "network.rank=1 network.neurons=16",
                          "network.rank=2 network.neurons=8", "network.rank=2 network.neurons=16"));
}

TEST_F(Expanding, ZipGoesTogether) {
  EXPECT_THAT(cases(planned("[sweep.zip]\n'network.rank' = [1, 2]\n'network.neurons' = [8, 16]\n"
                            "[sweep.grid]\n'smc.particles' = [4, 8]\n")),
              ElementsAre("smc.particles=4 network.rank=1 network.neurons=8",
                          "smc.particles=4 network.rank=2 network.neurons=16",
                          "smc.particles=8 network.rank=1 network.neurons=8",
                          "smc.particles=8 network.rank=2 network.neurons=16"));
}

TEST_F(Expanding, SpacesAreFilled) {
  EXPECT_THAT(cases(planned("[sweep.grid]\n'network.neurons' = { linspace = [8, 24, 3] }\n")),
              ElementsAre("network.neurons=8", "network.neurons=16", "network.neurons=24"));
  EXPECT_THAT(cases(planned("[sweep.grid]\n'training.optimiser.learning_rate' = { geomspace = [0.0625, 1, 3] }\n")),
              ElementsAre("training.optimiser.learning_rate=0.0625", "training.optimiser.learning_rate=0.25",
                          "training.optimiser.learning_rate=1.0"));
  EXPECT_THAT(cases(planned("[sweep.grid]\n'network.neurons' = { geomspace = [3, 375, 4] }\n")),
              ElementsAre("network.neurons=3", "network.neurons=15", "network.neurons=75", "network.neurons=375"));
  // Not all are whole: 2, 2.83, 4.
  EXPECT_THAT(complaint("[sweep.grid]\n'network.neurons' = { geomspace = [2, 4, 3] }\n"),
              testing::HasSubstr("is a real number; allowed: an integer"));
}

TEST_F(Expanding, SeedsAreReplicatesAndComeLast) {
  EXPECT_THAT(
      cases(planned("seeds = 2\n[sweep.grid]\nnetwork.rank = [1, 2]\n"), true),
      ElementsAre("network.rank=1 seed=5", "network.rank=2 seed=5", "network.rank=1 seed=6", "network.rank=2 seed=6"));
  EXPECT_THAT(cases(planned("seeds = [9, 7]\n"), true), ElementsAre(" seed=9", " seed=7"));
  EXPECT_THAT(cases(planned(""), true), ElementsAre(" seed=5"));
}

TEST_F(Expanding, ExplicitCasesFollow) {
  EXPECT_THAT(cases(planned("[sweep.grid]\nnetwork.rank = [1]\n[[sweep.cases]]\nnetwork.rank = 3\nnetwork.neurons = "
                            "32\n[[sweep.cases]]\nsmc.particles = 4\n")),
              ElementsAre("network.rank=1", "network.rank=3 network.neurons=32", "smc.particles=4"));
}

TEST_F(Expanding, ConditionalKeysFollowTheirCondition) {
  EXPECT_THAT(
      cases(planned("[sweep.grid]\nnetwork.rank = [1, 2, 3]\n"
                    "[[sweep.when]]\nif = { 'network.rank' = { at_least = 2 } }\nset = { 'smc.particles' = 32 }\n"
                    "[[sweep.when]]\nif = { 'network.rank' = 3 }\ngrid = { 'network.neurons' = [96, 192] }\n")),
      ElementsAre("network.rank=1", "network.rank=2 smc.particles=32",
                  "network.rank=3 smc.particles=32 network.neurons=96",
                  "network.rank=3 smc.particles=32 network.neurons=192"));
}

TEST_F(Expanding, ConditionsSeeTheBaseAndTheDefaults) {
  const std::string grid = "[sweep.grid]\nnetwork.rank = [1, 2]\n";
  // network.neurons = 64 stands in the base, smc.proposal nowhere.
  EXPECT_THAT(cases(planned(grid + "[[sweep.when]]\nif = { 'network.neurons' = 64 }\nset = { 'smc.particles' = 3 }\n")),
              ElementsAre("network.rank=1 smc.particles=3", "network.rank=2 smc.particles=3"));
  const std::string of_rank_1 = "network.rank = 1\n";
  EXPECT_EQ(planned(grid + "[[sweep.exclude]]\nsmc.proposal = 'optimal'\n" + of_rank_1).plan.cases.size(), 1U);
  EXPECT_EQ(planned(grid + "[[sweep.exclude]]\nsmc.proposal = { not = 'optimal' }\n" + of_rank_1).plan.cases.size(),
            2U);
}

TEST_F(Expanding, ConstraintsLeaveOut) {
  const std::string grid = "[sweep.grid]\nnetwork.rank = [1, 2, 8]\nsmc.particles = [4, 16]\n";
  const auto all = planned(grid);
  EXPECT_EQ(all.plan.cases.size(), 6U);
  EXPECT_EQ(all.excluded, 0U);
  const auto compared = planned(grid + "[[sweep.exclude]]\nsmc.particles = { below = 'network.rank' }\n");
  EXPECT_EQ(compared.excluded, 1U);
  EXPECT_THAT(cases(compared), testing::Not(testing::Contains("network.rank=8 smc.particles=4")));
  const auto both = planned(grid + "[[sweep.exclude]]\nnetwork.rank = [1, 2]\nsmc.particles = 4\n");
  EXPECT_EQ(both.excluded, 2U);
  const auto two_rules = planned(grid +
                                 "[[sweep.exclude]]\nnetwork.rank = { above = 1, at_most = 2 }\n"
                                 "[[sweep.exclude]]\nsmc.particles = { not = 16 }\n");
  EXPECT_THAT(cases(two_rules), ElementsAre("network.rank=1 smc.particles=16", "network.rank=8 smc.particles=16"));
}

TEST_F(Expanding, RulesWithoutEffectAreNoted) {
  const auto result = planned(
      "[sweep.grid]\nnetwork.rank = [1, 2]\n[[sweep.exclude]]\nnetwork.rank = 7\n"
      "[[sweep.when]]\nif = { 'network.rank' = 9 }\nset = { 'smc.particles' = 4 }\n");
  EXPECT_THAT(result.notes,
              testing::UnorderedElementsAre(HasSubstr("excludes no further case"), HasSubstr("holds for no case")));
  EXPECT_THAT(planned("[sweep.grid]\nnetwork.rank = [1, 2]\n").notes, IsEmpty());
}

TEST_F(Expanding, RanksAreOfTheCaseAndNotOfItsIdentity) {
  const auto one = planned("[sweep.grid]\nnetwork.rank = [1, 2]\n");
  const auto more = planned(
      "ranks = 2\n[sweep.grid]\nnetwork.rank = [1, 2]\n"
      "[[sweep.when]]\nif = { 'network.rank' = 2 }\nset = { ranks = 4 }\n");
  EXPECT_EQ(more.plan.cases[0].ranks, 2);
  EXPECT_EQ(more.plan.cases[1].ranks, 4);
  EXPECT_EQ(one.plan.cases[1].ranks, 1);
  EXPECT_EQ(ids(one), ids(more));
}

TEST_F(Expanding, SetAppliesToAllAndSetsOverrideTheFile) {
  const auto result = planned("[sweep.set]\nsmc.particles = 12\n[sweep.grid]\nnetwork.rank = [1, 2]\n",
                              {"sweep.grid.network.rank=[3]"});
  EXPECT_THAT(cases(result), ElementsAre("network.rank=3"));
  EXPECT_THAT(cases(planned("[sweep.grid]\n'network.rank' = [1, 2]\n", {"sweep.grid.network.rank=[4]"})),
              ElementsAre("network.rank=4"));
  EXPECT_THAT(result.plan.cases[0].configuration, mentions("particles = 12\n", "rank = 3\n"));
}

class RandomSearching : public SweepFile {
 protected:
  static std::string search(const std::string& count, const std::string& more = "") {
    return "[sweep.random]\ncases = " + count +
           "\nseed = 3\n'training.optimiser.learning_rate' = { log_uniform = [1e-4, 1e-1] }\n"
           "'network.rank' = { integer = [1, 3] }\n" +
           more;
  }
};

TEST_F(RandomSearching, MoreDrawsKeepTheFirst) {
  const auto few = cases(planned(search("5"))), many = cases(planned(search("9")));
  ASSERT_EQ(many.size(), 9U);
  EXPECT_EQ(few, std::vector<std::string>(many.begin(), many.begin() + 5));
}

TEST_F(RandomSearching, AnotherKeyLeavesTheValuesOfOthers) {
  const auto without = planned(search("5"));
  const auto with = planned(search("5", "'training.optimiser.beta1' = { uniform = [0.5, 0.9] }\n"));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(with.plan.cases[i].varied[0], without.plan.cases[i].varied[0]);
    EXPECT_EQ(with.plan.cases[i].varied[1], without.plan.cases[i].varied[1]);
    EXPECT_EQ(with.plan.cases[i].varied.size(), 3U);
  }
}

TEST_F(RandomSearching, AnotherSeedDrawsOthers) {
  EXPECT_NE(cases(planned(search("5"))), cases(planned(search("5"), {"sweep.random.seed=4"})));
}

TEST_F(RandomSearching, FollowsItsLaws) {
  const auto result = planned(search("400", "'smc.threshold' = { choice = [0.25, 0.75] }\n"));
  double low_decade = 0, first_choice = 0, integers = 0;
  for (const auto& one : result.plan.cases) {
    const double rate = std::stod(one.varied[0].second);
    const int rank = std::stoi(one.varied[1].second);
    EXPECT_TRUE(rate >= 1e-4 && rate <= 1e-1);
    EXPECT_TRUE(rank >= 1 && rank <= 3);
    low_decade += rate < 1e-3 ? 1 : 0;
    integers += rank;
    first_choice += one.varied[2].second == "0.25" ? 1 : 0;
  }
  // Five standard deviations of a share of 400: a third of the rates lies in each decade.
  EXPECT_NEAR(low_decade / 400, 1.0 / 3, 5 * std::sqrt(2.0 / 9 / 400));
  EXPECT_NEAR(first_choice / 400, 0.5, 5 * 0.5 / 20);
  EXPECT_NEAR(integers / 400, 2, 5 * std::sqrt(2.0 / 3) / 20);
}

TEST_F(RandomSearching, DrawsAreDifferentAndThoseExcludedAreReplaced) {
  const std::string all_six =
      "[sweep.random]\ncases = 6\nnetwork.rank = { integer = [1, 3] }\nsmc.particles = { choice "
      "= [4, 8] }\n";
  EXPECT_EQ(ids(planned(all_six)).size(), 6U);
  const auto fewer = planned("[[sweep.exclude]]\nnetwork.rank = 2\n" + all_six, {"sweep.random.cases=4"});
  EXPECT_EQ(fewer.plan.cases.size(), 4U);
  EXPECT_THAT(complaint("[[sweep.exclude]]\nnetwork.rank = 2\n" + all_six),
              mentions("[sweep.random] asks for 6 cases", "only 4 different ones", "ask for fewer, or widen"));
}

}  // namespace
}  // namespace rankflow::sweep
