#include "config/sample_options.hpp"

namespace rankflow::config::sample {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(BadValues, WrongTypesNameFoundAndAllowed) {
  EXPECT_THAT(complaint("[network]\nneurons = \"many\""),
              mentions("net.toml:2: 'network.neurons' = \"many\" is text; allowed: an integer, at least 1."));
  EXPECT_THAT(complaint("[time]\n\nstep = true"),
              mentions("net.toml:3", "'time.step' = true is true or false", "a finite real number", "above 0", "in s"));
  EXPECT_THAT(complaint("network.dale = 1"), mentions("'network.dale' = 1 is an integer", "allowed: true or false"));
  EXPECT_THAT(complaint("network.label = 3.5"), mentions("'network.label' = 3.5 is a real number", "text in quotes"));
  EXPECT_THAT(complaint("network.file = []"), mentions("'network.file' = [] is a list", "a file name"));
  EXPECT_THAT(complaint("network.label = 2024-05-01"), mentions("= 2024-05-01 is a date or time", "text in quotes"));
  EXPECT_THAT(complaint("network.neurons = {a = 1}"), mentions("= { a = 1 } is a table", "an integer"));
}

TEST(BadValues, WholeRealsAreToldHowToBecomeIntegers) {
  EXPECT_THAT(complaint("", {"network.neurons=1e6"}),
              mentions("--set network.neurons=1e6", "real number", "Write 1000000."));
  EXPECT_THAT(complaint("network.neurons = 1.5"), testing::AllOf(HasSubstr("real number"), Not(HasSubstr("Write"))));
}

TEST(BadValues, OutOfRangeNamesTheRange) {
  EXPECT_THAT(complaint("[network]\nneurons = 0"),
              mentions("net.toml:2", "= 0 is out of range", "an integer, at least 1"));
  EXPECT_THAT(complaint("time.step = 0.0"), mentions("= 0.0 is out of range", "above 0, at most 1, in s"));
  EXPECT_THAT(complaint("time.step = 1.5"), mentions("= 1.5 is out of range", "at most 1"));
  EXPECT_THAT(complaint("time.trials = 101"), mentions("= 101 is out of range", "at least 1, at most 100"));
  EXPECT_THAT(complaint("[[inputs]]\nenvelope.rise = 2"),
              mentions("'inputs.0.envelope.rise' = 2", "at least 0, below 2"));
  EXPECT_THAT(complaint("[[inputs]]\nchannels = [0, -1]"), mentions("'inputs.0.channels.1' = -1 is out of range"));
}

TEST(BadValues, BoundsAreInclusiveOrExclusiveAsDeclared) {
  EXPECT_EQ(read("time.step = 1").options.time.step, 1.0);
  EXPECT_EQ(read("network.neurons = 1").options.network.neurons, 1);
  EXPECT_EQ(read("[[inputs]]\nenvelope.rise = 0").options.inputs.at(0).envelope.rise, 0.0);
}

TEST(BadValues, NumbersMustBeFinite) {
  EXPECT_THAT(complaint("time.step = inf"), mentions("'time.step' = inf is not finite"));
  EXPECT_THAT(complaint("time.step = -inf"), mentions("= -inf is not finite"));
  EXPECT_THAT(complaint("network.mean = [1, nan]"), mentions("'network.mean.1' = nan is not finite"));
  EXPECT_THAT(complaint("network.m = [[1], [nan]]"), mentions("'network.m.1.0' = nan is not finite"));
}

TEST(BadValues, ChoicesAreListedAndSuggested) {
  EXPECT_THAT(complaint("[time]\nmethod = \"euller\""), mentions("net.toml:2", "'time.method' = \"euller\"",
                                                                 "one of \"euler\", \"bdf\"", "Did you mean 'euler'?"));
  EXPECT_THAT(complaint("time.method = \"quadrature\""),
              testing::AllOf(HasSubstr("one of \"euler\", \"bdf\""), Not(HasSubstr("Did you mean"))));
  EXPECT_THAT(complaint("time.method = 1"), mentions("= 1 is an integer", "one of"));
  EXPECT_THAT(complaint("network.solver = \"bfd\""), mentions("'network.solver'", "Did you mean 'bdf'?"));
}

TEST(BadValues, ListsAndMatricesMustHaveTheirShape) {
  EXPECT_THAT(complaint("network.mean = [1]"), mentions("'network.mean'", "has 1 entries", "2 of them"));
  EXPECT_THAT(complaint("network.mean = 3"), mentions("= 3 is an integer", "a list of finite real numbers"));
  EXPECT_THAT(complaint("network.mean = [1, \"a\"]"), mentions("'network.mean.1' = \"a\" is text"));
  EXPECT_THAT(complaint("[network]\ncovariance = [[1, 2], [3]]"),
              mentions("net.toml:2", "'network.covariance.1' = [3] has 1 numbers, but the first row has 2"));
  EXPECT_THAT(complaint("network.covariance = [1, 2]"), mentions("'network.covariance.0' = 1 is an integer"));
  EXPECT_THAT(complaint("[[inputs]]\nchannels = [1.5]"), mentions("'inputs.0.channels.0' = 1.5", "list of integers"));
}

TEST(BadValues, TablesAndListsOfTablesAreNotInterchangeable) {
  EXPECT_THAT(complaint("time = 3"), mentions("net.toml:1: 'time' = 3 is an integer", "a table, written [time]"));
  EXPECT_THAT(complaint("[[time]]\nstep = 0.1"), mentions("'time'", "is a list", "written [time]"));
  EXPECT_THAT(complaint("[inputs]\nkind = \"step\""), mentions("'inputs'", "is a table", "written [[inputs]]"));
  EXPECT_THAT(complaint("inputs = [{}, 2]"), mentions("'inputs.1' = 2 is an integer", "written [[inputs]]"));
}

TEST(BadValues, LongValuesAreShortened) {
  const auto message = complaint("network.neurons = \"" + std::string(58, 'x') + "µµµµµµ\"");
  EXPECT_THAT(message, mentions("xxx…", " is text"));
  EXPECT_LT(message.size(), 200U);
}

}  // namespace
}  // namespace rankflow::config::sample
