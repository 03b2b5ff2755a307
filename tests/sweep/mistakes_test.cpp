#include "plan_support.hpp"

namespace rankflow::sweep {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What people get wrong in sweep files, and what they are told. Line 4 is the first after `driver`.
class Mistake : public SweepFile {};

TEST_F(Mistake, NoneInAGoodFile) {
  EXPECT_EQ(complaint("metric = 'held_out_log_likelihood'\n[sweep.grid]\nnetwork.rank = [1, 2]\n"), "");
}

TEST_F(Mistake, UnknownKeyToVary) {
  EXPECT_THAT(complaint("[sweep.grid]\n'network.rnak' = [1, 2]\n"),
              mentions("study.toml:5: unknown key 'network.rnak' in [sweep.grid]", "'fit vsmc' has no such key to vary",
                       "Did you mean 'network.rank'?"));
  EXPECT_THAT(complaint("[sweep.zip]\nnetwrok.rank = [1, 2]\n"), mentions("'netwrok'", "Did you mean 'network'?"));
  EXPECT_THAT(complaint("[sweep.random]\ncases = 2\nlearning_rate = { uniform = [0.1, 0.2] }\n"),
              mentions("study.toml:6", "'learning_rate' in [sweep.random]", "'training.optimiser.learning_rate'"));
  EXPECT_THAT(complaint("[[sweep.cases]]\ntime.step = 0.1\n"),
              mentions("unknown key 'time' in [sweep.cases]", "'fit vsmc' has no such key"));
}

TEST_F(Mistake, UnknownKeyOfTheSweep) {
  EXPECT_THAT(complaint("[sweep.gird]\nnetwork.rank = [1, 2]\n"),
              mentions("unknown table 'sweep.gird'", "Did you mean 'sweep.grid'?"));
  EXPECT_THAT(complaint("metrics = 'log_likelihood'\n"), mentions("study.toml:4", "Did you mean 'sweep.metric'?"));
}

TEST_F(Mistake, ListsThatAreNone) {
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = []\n"),
              mentions("study.toml:5: 'network.rank' = []", "is an empty list, which leaves no case"));
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = 3\n"),
              mentions("'network.rank' = 3 in [sweep.grid] is an integer", "a list of values", "[sweep.set]"));
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = [1, 2, 1]\n"), mentions("has the value 1 twice", "keep one"));
  EXPECT_THAT(complaint("sweep_grid = 1\n[sweep.grid]\n"), mentions("sweep_grid"));
}

TEST_F(Mistake, WrongValueOfAKey) {
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = [1, 0]\n"),
              mentions("study.toml:5: 'network.rank' = 0 is out of range; allowed: an integer, at least 1",
                       "while checking the case with network.rank = 0"));
  EXPECT_THAT(
      complaint("[sweep.grid]\nsmc.proposal = ['optimal', 'optimum']\n"),
      mentions("study.toml:5: 'smc.proposal' = \"optimum\" is not among the choices", "Did you mean 'optimal'?"));
}

TEST_F(Mistake, Spaces) {
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = { linspaced = [1, 3, 3] }\n"),
              mentions("'linspaced' is no way to list values", "Did you mean 'linspace'?"));
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = { linspace = [1, 3] }\n"), mentions("[first, last, count]"));
  EXPECT_THAT(complaint("[sweep.grid]\n'training.optimiser.learning_rate' = { geomspace = [0, 1, 3] }\n"),
              mentions("geomspace goes from one number above 0 to another, found 0 and 1"));
}

TEST_F(Mistake, ZipOfUnequalLengths) {
  EXPECT_THAT(complaint("[sweep.zip]\nnetwork.rank = [1, 2, 3]\nnetwork.neurons = [8, 16]\n"),
              mentions("study.toml:6: 'network.neurons' has 2 values in [sweep.zip], but 'network.rank' has 3",
                       "[sweep.grid] for all combinations"));
}

TEST_F(Mistake, BoundsOfRandomKeys) {
  const std::string begin = "[sweep.random]\ncases = 4\n'training.optimiser.learning_rate' = ";
  EXPECT_THAT(complaint(begin + "{ log_uniform = [0.0, 0.1] }\n"),
              mentions("study.toml:6", "both bounds must be above 0, found 0 and 0.1", "use uniform"));
  EXPECT_THAT(complaint(begin + "{ uniform = [0.1, 0.1] }\n"), mentions("the lowest value 0.1 must be below"));
  EXPECT_THAT(complaint(begin + "{ uniform = [0.1] }\n"), mentions("two finite numbers, [lowest, highest]"));
  EXPECT_THAT(complaint(begin + "{ integer = [0.1, 2] }\n"), mentions("integer takes two integers"));
  EXPECT_THAT(complaint(begin + "{ choice = [] }\n"), mentions("choice is an empty list"));
  EXPECT_THAT(complaint(begin + "{ loguniform = [0.01, 0.1] }\n"),
              mentions("'loguniform' is no way to draw", "Did you mean 'log_uniform'?"));
  EXPECT_THAT(complaint(begin + "[0.01, 0.1]\n"), mentions("is a list; allowed: { uniform = [a, b] }"));
}

TEST_F(Mistake, RandomSearchesThatCannotBe) {
  EXPECT_THAT(complaint("[sweep.random]\nnetwork.rank = { integer = [1, 3] }\n"),
              mentions("'sweep.random.cases' is missing"));
  EXPECT_THAT(complaint("[sweep.random]\ncases = 0\n"), mentions("'sweep.random.cases' = 0", "at least 1"));
  EXPECT_THAT(complaint("[sweep.random]\ncases = 3\n"), mentions("draws no key: all 3 cases would be the same"));
  EXPECT_THAT(complaint("[sweep.random]\ncases = 9\nnetwork.rank = { integer = [1, 3] }\n"),
              mentions("asks for 9 cases", "only 3 different ones"));
}

TEST_F(Mistake, ConstraintsThatExcludeEverything) {
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = [1, 2]\n[[sweep.exclude]]\nnetwork.rank = 1\n"
                        "[[sweep.exclude]]\nnetwork.rank = { at_least = 2 }\n"),
              mentions("leaves no case: all 2 are excluded", "study.toml:6 (1)", "study.toml:8 (1)"));
}

TEST_F(Mistake, ConditionsThatSayNothing) {
  const std::string grid = "[sweep.grid]\nnetwork.rank = [1, 2]\n";
  EXPECT_THAT(complaint(grid + "[[sweep.exclude]]\n"), mentions("has no condition", "hold for every case"));
  EXPECT_THAT(complaint(grid + "[[sweep.exclude]]\nnetwork.rank = []\n"), mentions("compares with nothing"));
  EXPECT_THAT(complaint(grid + "[[sweep.exclude]]\nnetwork.rank = { over = 1 }\n"),
              mentions("'over' is no comparison; allowed: above"));
  EXPECT_THAT(complaint(grid + "[[sweep.exclude]]\nnetwork.rank = { above = true }\n"),
              mentions("compares with a number or with another key", "found true or false"));
  EXPECT_THAT(complaint(grid + "[[sweep.exclude]]\nnetwork.rank = { above = 'network.neuron' }\n"),
              mentions("unknown key 'network.neuron'", "'network.neurons'?"));
  EXPECT_THAT(complaint(grid + "[[sweep.exclude]]\nsmc.proposal = { above = 1 }\n"),
              mentions("the condition on 'smc.proposal' compares numbers, but 'smc.proposal' is text"));
  EXPECT_THAT(complaint(grid + "[sweep.exclude]\nnetwork.rank = 1\n"), mentions("written [[sweep.exclude]]"));
}

TEST_F(Mistake, ConditionalKeysThatSayNothing) {
  EXPECT_THAT(complaint("[[sweep.when]]\nset = { 'network.rank' = 1 }\n"), mentions("lacks 'if'", "[sweep.set]"));
  EXPECT_THAT(complaint("[[sweep.when]]\nif = { 'network.rank' = 2 }\n"), mentions("changes nothing"));
  EXPECT_THAT(complaint("[[sweep.when]]\nif = { 'network.rank' = 2 }\nsets = { 'smc.particles' = 1 }\n"),
              mentions("unknown key 'sets' in [[sweep.when]]; allowed: if, set, grid"));
}

TEST_F(Mistake, AKeyWithTwoMasters) {
  EXPECT_THAT(complaint("[sweep.set]\nnetwork.rank = 3\n[sweep.grid]\nnetwork.rank = [1, 2]\n"),
              mentions("study.toml:7: 'network.rank' in [sweep.grid] is fixed by [sweep.set] already", "study.toml:5"));
  EXPECT_THAT(complaint("[sweep.zip]\nnetwork.rank = [3, 4]\n[sweep.grid]\n'network.rank' = [1, 2]\n"),
              mentions("is varied by [sweep.grid] already"));
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = [1, 2]\n[[sweep.when]]\nif = { 'network.rank' = 1 }\n"
                        "set = { 'network.rank' = 3 }\n"),
              mentions("'network.rank' in [sweep.when.set] is varied by [sweep.grid] already"));
  EXPECT_THAT(complaint("[[sweep.cases]]\nnetwork.rank = 3\nsmc.particles = 2\n[[sweep.when]]\n"
                        "if = { 'network.rank' = 3 }\nset = { 'smc.particles' = 4 }\n"),
              mentions("study.toml:7: [[sweep.when]] gives 'smc.particles' a second value where network.rank = 3"));
  EXPECT_THAT(complaint("[sweep.grid]\n'network.rank' = [1]\nnetwork.rank = [2]\n"), mentions("twice in [sweep.grid]"));
}

TEST_F(Mistake, Seeds) {
  EXPECT_THAT(complaint("[sweep.grid]\nrun.seed = [1, 2]\n"), mentions("study.toml:5", "give sweep.seeds"));
  EXPECT_THAT(complaint("seeds = 0\n"), mentions("study.toml:4: 'sweep.seeds' = 0 is not between 1 and"));
  EXPECT_THAT(complaint("seeds = []\n"), mentions("is an empty list, which leaves no case"));
  EXPECT_THAT(complaint("seeds = [1, 2, 1]\n"), mentions("'sweep.seeds' = [1, 2, 1] has 1 twice"));
  EXPECT_THAT(complaint("seeds = 'three'\n"), mentions("is text; allowed: how many, or a list of seeds"));
}

TEST_F(Mistake, DuplicateCases) {
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = [1, 2]\n[[sweep.cases]]\nnetwork.rank = 2\n"),
              mentions("two cases are one and the same run", "network.rank = 2", "leave one out"));
  // 64 is what the base says.
  EXPECT_THAT(complaint("[[sweep.cases]]\nnetwork.rank = 2\n[[sweep.cases]]\nnetwork.neurons = 64\n"),
              mentions("the one with network.rank = 2, and the one with network.neurons = 64"));
  EXPECT_THAT(complaint("[sweep.grid]\nrun.wall_time = [10.0, 20.0]\n"),
              mentions("one and the same run", "wall time and checkpoint interval change no result"));
  EXPECT_THAT(complaint("[sweep.grid]\nranks = [1, 2]\n"), mentions("one and the same run", "number of ranks"));
}

TEST_F(Mistake, MetricsThatDoNotExist) {
  EXPECT_THAT(complaint("metric = 'held_out_log_likelyhood'\n"),
              mentions("'sweep.metric' = \"held_out_log_likelyhood\": 'fit vsmc' produces no such metric; it has: ",
                       "Did you mean 'held_out_log_likelihood'?"));
  EXPECT_THAT(complaint("metric = 'latent_rms'\n"), mentions("'fit vsmc' produces no such metric"));
  EXPECT_THAT(complaint("metric = 'held_out_log_likelihood'\n[sweep.set]\ntraining.validation_fraction = 0.0\n"),
              mentions("holds no data back (training.validation_fraction = 0)", "rank by \"log_likelihood\""));
}

TEST_F(Mistake, BaseAndDriver) {
  const auto of = [&](const std::string& text) {
    try {
      plan_sweep(write("study.toml", text), {});
    } catch (const ConfigurationError& error) {
      return error.report();
    }
    return std::string();
  };
  EXPECT_THAT(of("[sweep]\nbase = 'bse.toml'\n"), mentions("study.toml:2: 'sweep.base': there is no file", "bse.toml"));
  EXPECT_THAT(of("[sweep]\ndriver = 'simulate'\n"), mentions("required key 'sweep.base' is missing"));
  EXPECT_THAT(of("[sweep]\nbase = 'base.toml'\ndriver = 'fit'\n"),
              mentions("'sweep.driver' = \"fit\" is not among the choices", "\"fit vsmc\""));
  EXPECT_THAT(of("[sweep]\nbase = 'base.toml'\ndriver = 'simulate'\n"), mentions("base.toml:3: unknown table 'data'"));
  EXPECT_THAT(of("[run]\nseed = 1\n[network]\nrank = 2\n"),
              mentions("there is no table [sweep]", "looks like the configuration of one run", "sweep.base"));
  EXPECT_THAT(of("[other]\n"), Not(HasSubstr("looks like")));
  EXPECT_THAT(of("[sweep]\nbase = 'base.toml'\nranks = 0\n"),
              mentions("study.toml:3: 'sweep.ranks' = 0", "at least 1"));
  EXPECT_THAT(of("[sweep]\nbase = 'base.toml'\n[[sweep.cases]]\nranks = 0\n"), mentions("'ranks' = 0", "at least 1"));
  EXPECT_THAT(of("[sweep]\nbase = 'base.toml'\nranks = 'all'\n"),
              mentions("study.toml:3: 'sweep.ranks' = \"all\" must be an integer", "or \"measured\""));
  EXPECT_THAT(of("[sweep\n"), mentions("study.toml:1", "not valid TOML"));
}

TEST_F(Mistake, FarTooManyCases) {
  EXPECT_THAT(complaint("[sweep.grid]\nnetwork.rank = { linspace = [1, 100000, 100000] }\n"
                        "network.neurons = { linspace = [1, 100000, 100000] }\n"),
              mentions("combine to more than 1000000 cases", "[sweep.random]"));
}

}  // namespace
}  // namespace rankflow::sweep
