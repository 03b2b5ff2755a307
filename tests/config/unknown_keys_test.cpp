#include "config/sample_options.hpp"

namespace rankflow::config::sample {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(UnknownKeys, SuggestTheNearestKeyOfTheTable) {
  EXPECT_THAT(complaint("[network]\nneurons = 3\nneuron = 5"),
              mentions("net.toml:3: unknown key 'network.neuron' = 5.", "Did you mean 'network.neurons'?"));
  EXPECT_THAT(complaint("[netwrok]\nneurons = 3"), mentions("net.toml:1: unknown table 'netwrok'", "'network'?"));
  EXPECT_THAT(complaint("[[inputs]]\n[[inputs]]\namplitud = 3"),
              mentions("net.toml:3", "'inputs.1.amplitud'", "Did you mean 'inputs.1.amplitude'?"));
  EXPECT_THAT(complaint("", {"network.neuronz=3"}),
              mentions("--set network.neuronz=3: unknown key", "'network.neurons'?"));
}

TEST(UnknownKeys, SuggestDespiteCaseAndHyphens) {
  EXPECT_THAT(complaint("time.SAVE-EVERY = 1"), mentions("'time.SAVE-EVERY'", "Did you mean 'time.save_every'?"));
  EXPECT_THAT(complaint("Time.step = 1"), mentions("unknown table 'Time'", "Did you mean 'time'?"));
  EXPECT_THAT(complaint("[[inputs]]\n[[inputs]]\nAmplitude = 3"), mentions("Did you mean 'inputs.1.amplitude'?"));
}

TEST(UnknownKeys, SuggestKeysOfOtherTables) {
  EXPECT_THAT(complaint("neurons = 5"),
              mentions("net.toml:1: unknown key 'neurons'", "Did you mean 'network.neurons'?"));
  EXPECT_THAT(complaint("[time]\nneurons = 5"), mentions("'time.neurons'", "Did you mean 'network.neurons'?"));
  EXPECT_THAT(complaint("network.amplitudes = 5"), mentions("Did you mean 'inputs.0.amplitude'?"));
  EXPECT_THAT(complaint("[[time.inputs]]"), mentions("'time.inputs'", "Did you mean 'inputs'?"));
  EXPECT_THAT(complaint("[bulk]\ngain = 5"), mentions("unknown table 'bulk'", "Did you mean 'network.bulk'?"));
}

TEST(UnknownKeys, TheSameKeyElsewhereGoesBeforeASimilarOneHere) {
  EXPECT_THAT(complaint("network.kind = 5"), mentions("Did you mean 'inputs.0.kind'"));
  EXPECT_THAT(complaint("network.step = 5"), mentions("Did you mean 'time.step'"));
}

TEST(UnknownKeys, ListTheKnownKeysWhenNoneIsNear) {
  const auto message = complaint("[time]\nzzzzzz = 5");
  EXPECT_THAT(message, mentions("Known keys of [time]: step, save_every, trials, method."));
  EXPECT_THAT(message, Not(HasSubstr("Did you mean")));
  EXPECT_THAT(complaint("zzzzzz = 5"), mentions("Known keys of the top table: network, time, inputs."));
}

TEST(UnknownKeys, NothingIsIgnoredAnywhere) {
  EXPECT_THAT(complaint("network.bulk.zzzzzz = 1"), mentions("unknown key 'network.bulk.zzzzzz'"));
  EXPECT_THAT(complaint("[[inputs]]\nenvelope.zzzzzz = 1"), mentions("unknown key 'inputs.0.envelope.zzzzzz'"));
  EXPECT_THAT(complaint("network.m = { file = 'a.npy', zzzzzz = 1 }"), mentions("unknown key 'network.m.zzzzzz'"));
  EXPECT_THAT(complaint("[zzzzzz]"), mentions("unknown table 'zzzzzz'"));
}

TEST(UnknownKeys, TheFirstInTheFileIsNamed) {
  EXPECT_THAT(complaint("[time]\nzz = 1\naa = 2"), mentions("net.toml:2", "'time.zz'"));
}

}  // namespace
}  // namespace rankflow::config::sample
