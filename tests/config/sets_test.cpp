#include "config/sample_options.hpp"

namespace rankflow::config::sample {
namespace {

const std::string two_inputs = "[[inputs]]\namplitude = 1\n[[inputs]]\namplitude = 2\n";

TEST(Sets, OverrideTheFileAndTheLastWins) {
  const auto options =
      read("network.neurons = 5\ntime.step = 0.5", {"network.neurons=6", "network.neurons = 7"}).options;
  EXPECT_EQ(options.network.neurons, 7);
  EXPECT_EQ(options.time.step, 0.5);
}

TEST(Sets, TakeWhatIsNotTomlAsText) {
  const auto options = read("", {"network.label=ring", "time.method=bdf", "network.note=a = b\nc = d"}).options;
  EXPECT_EQ(options.network.label, "ring");
  EXPECT_EQ(options.time.method, Method::bdf);
  EXPECT_EQ(options.network.note, "a = b\nc = d");
  EXPECT_EQ(read("", {"network.label=\"quoted\""}).options.network.label, "quoted");
  EXPECT_EQ(read("", {"network.label="}).options.network.label, "");
  EXPECT_EQ(read("", {"network.label=1\ntime = 2"}).options.network.label, "1\ntime = 2");
}

TEST(Sets, TakeEveryTomlValue) {
  const auto options = read("", {"network.mean=[3, 4.5]", "network.dale=true", "network.m=[[1],[2]]",
                                 "network.bulk={gain = 3}", "inputs=[{amplitude=5}]"})
                           .options;
  EXPECT_THAT(options.network.mean, testing::ElementsAre(3.0, 4.5));
  EXPECT_TRUE(options.network.dale);
  EXPECT_THAT(options.network.m.shape, testing::ElementsAre(2, 1));
  ASSERT_TRUE(options.network.bulk);
  EXPECT_EQ(options.network.bulk->gain, 3.0);
  EXPECT_EQ(options.inputs.at(0).amplitude, 5.0);
}

TEST(Sets, MakeMissingTables) {
  const auto options = read("", {"network.bulk.in_degree=3"}).options;
  ASSERT_TRUE(options.network.bulk);
  EXPECT_EQ(options.network.bulk->in_degree, 3);
}

TEST(Sets, AddressEntriesAndAppendOnePastTheEnd) {
  const auto options = read(two_inputs, {"inputs.0.amplitude=7", "inputs.2.envelope.rise=1"}).options;
  ASSERT_EQ(options.inputs.size(), 3U);
  EXPECT_EQ(options.inputs[0].amplitude, 7.0);
  EXPECT_EQ(options.inputs[1].amplitude, 2.0);
  EXPECT_EQ(options.inputs[2].envelope.rise, 1.0);
  EXPECT_EQ(read("", {"inputs.0.amplitude=7", "inputs.1.amplitude=8"}).options.inputs.at(1).amplitude, 8.0);
  EXPECT_EQ(read(two_inputs, {"inputs.2={amplitude=9}"}).options.inputs.at(2).amplitude, 9.0);
  EXPECT_THAT(read("network.mean = [1, 2]", {"network.mean.1=5"}).options.network.mean, testing::ElementsAre(1.0, 5.0));
}

TEST(Sets, RefuseWhatCannotBeAddressed) {
  EXPECT_THAT(complaint(two_inputs, {"inputs.3.amplitude=1"}),
              mentions("--set inputs.3.amplitude=1", "'inputs' has 2 entries", "at most 2"));
  EXPECT_THAT(complaint(two_inputs, {"inputs.last.amplitude=1"}),
              mentions("--set inputs.last.amplitude=1", "'inputs' is a list of 2 entries", "'last' is no index"));
  EXPECT_THAT(complaint("network.mean = [1, 2]", {"network.mean.2=5"}),
              mentions("'network.mean' has 2 entries", "at most 1"));
  EXPECT_THAT(complaint("time.step = 0.5", {"time.step.size=1"}),
              mentions("--set time.step.size=1", "'time.step' is a real number (0.5), not a table"));
  EXPECT_THAT(complaint("", {"inputs.1.amplitude=1"}), mentions("--set inputs.1.amplitude=1", "'inputs'"));
}

TEST(Sets, RefuseArgumentsWithoutKeyOrValue) {
  EXPECT_THAT(complaint("", {"network.neurons"}), mentions("--set network.neurons: there is no '='"));
  EXPECT_THAT(complaint("", {"=3"}), mentions("--set =3", "empty", "written table.key"));
  EXPECT_THAT(complaint("", {"network..neurons=3"}), mentions("--set network..neurons=3", "empty part"));
  EXPECT_THAT(complaint("", {"network.=3"}), mentions("--set network.=3", "empty part"));
  EXPECT_THAT(complaint("", {""}), mentions("--set : there is no '='"));
  EXPECT_THAT(complaint("", {"network.label=\xff"}), mentions("--set", "not valid UTF-8"));
}

TEST(Sets, AreNamedByErrorsAboutTheirValues) {
  EXPECT_THAT(complaint("[network]\nneurons = 5", {"network.neurons=-1"}),
              mentions("--set network.neurons=-1: 'network.neurons' = -1 is out of range"));
  EXPECT_THAT(complaint("", {"network.neurons=many"}), mentions("--set network.neurons=many", "\"many\" is text"));
  EXPECT_THAT(complaint("", {"network.bulk={gain = \"x\"}"}),
              mentions("--set network.bulk=", "'network.bulk.gain' = \"x\""));
}

TEST(Sets, ValuesOfAnotherFileKeepTheirPlace) {
  auto root = parse_document("[network]\nneurons = 5", "folder/net.toml");
  set_value(root, "network.neurons", {std::int64_t{-1}, {.line = 7, .file = "elsewhere/sweep.toml"}}, "a sweep");
  try {
    load_tree<Root>(root, "folder/net.toml");
    FAIL() << "no complaint";
  } catch (const ConfigurationError& error) {
    EXPECT_THAT(std::string(error.what()), mentions("elsewhere/sweep.toml:7: 'network.neurons' = -1 is out of range"));
  }
  EXPECT_THROW(set_value(root, "network..neurons", {true}, "a sweep"), ConfigurationError);
}

}  // namespace
}  // namespace rankflow::config::sample
