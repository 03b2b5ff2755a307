#include "config/sample_options.hpp"

namespace rankflow::config::sample {
namespace {

TEST(Reading, FillsEverySortOfKey) {
  const auto loaded = read(R"(
[network]
neurons = 42
label = "ring \"a\" µ"
note = "seen"
solver = "bdf"
dale = true
mean = [1, 2.5]
covariance = [[1, 0.5], [0.5, 2]]
m = [[1, 2], [3, 4], [5, 6]]
[network.bulk]
gain = 2
in_degree = 7
[time]
step = 0.01
save_every = 0.02
trials = 3
method = "bdf"
[[inputs]]
[[inputs]]
kind = "step"
amplitude = -2
channels = [1, 2]
envelope.rise = 1.5
)");
  const auto& [network, time, inputs] = loaded.options;
  EXPECT_EQ(network.neurons, 42);
  EXPECT_EQ(network.label, "ring \"a\" µ");
  EXPECT_EQ(network.note, "seen");
  EXPECT_EQ(network.solver, Method::bdf);
  EXPECT_TRUE(network.dale);
  EXPECT_THAT(network.mean, testing::ElementsAre(1.0, 2.5));
  EXPECT_THAT(network.covariance, testing::ElementsAre(testing::ElementsAre(1.0, 0.5), testing::ElementsAre(0.5, 2.0)));
  EXPECT_THAT(network.m.values, testing::ElementsAre(1, 2, 3, 4, 5, 6));
  ASSERT_TRUE(network.bulk);
  EXPECT_EQ(network.bulk->gain, 2.0);
  EXPECT_EQ(network.bulk->in_degree, 7);
  EXPECT_EQ(time.step, 0.01);
  EXPECT_EQ(time.save_every, 0.02);
  EXPECT_EQ(time.trials, 3);
  EXPECT_EQ(time.method, Method::bdf);
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_EQ(inputs[0].amplitude, 1.0);
  EXPECT_EQ(inputs[1].amplitude, -2.0);
  EXPECT_EQ(inputs[1].kind, Kind::step);
  EXPECT_THAT(inputs[1].channels, testing::ElementsAre(1, 2));
  EXPECT_EQ(inputs[0].envelope.rise, 0.25);
  EXPECT_EQ(inputs[1].envelope.rise, 1.5);
}

TEST(Reading, KeepsDefaultsOfAnEmptyFile) {
  const auto loaded = read("");
  EXPECT_EQ(loaded.options.network.neurons, 1000);
  EXPECT_FALSE(loaded.options.network.note);
  EXPECT_FALSE(loaded.options.network.solver);
  EXPECT_FALSE(loaded.options.network.bulk);
  EXPECT_FALSE(loaded.options.network.m.given);
  EXPECT_FALSE(loaded.options.time.save_every);
  EXPECT_TRUE(loaded.options.inputs.empty());
}

TEST(Reading, TellsWhereEachValueCameFrom) {
  const auto where = read("[time]\nstep = 0.01\n\n[[inputs]]\n[[inputs]]\namplitude = 3\n", {"time.trials=4"}).where;
  EXPECT_EQ(where.at("time.step"), "net.toml:2");
  EXPECT_EQ(where.at("time.trials"), "--set");
  EXPECT_EQ(where.at("time.method"), "default");
  EXPECT_EQ(where.at("inputs.0.amplitude"), "default");
  EXPECT_EQ(where.at("inputs.1.amplitude"), "net.toml:6");
}

TEST(Reading, CrossChecksNameThePlaceOfTheKey) {
  EXPECT_THAT(complaint("[time]\nstep = 0.1\nsave_every = 0.01"),
              mentions("net.toml:3", "'time.save_every'", "at least time.step (0.1), found 0.01"));
  EXPECT_THAT(complaint("[[inputs]]\n[[inputs]]\namplitude = -11"),
              mentions("net.toml:3", "'inputs.1.amplitude'", "too deep: -11"));
  EXPECT_THAT(complaint("[time]\nstep = 0.1", {"time.save_every=0.01"}), mentions("--set time.save_every=0.01: "));
  EXPECT_NO_THROW(read("[time]\nstep = 0.1\nsave_every = 0.2"));
}

TEST(Reading, CrossChecksOfAnAbsentKeyNameTheTable) {
  EXPECT_THAT(complaint("\n[time]\ntrials = 51"), mentions("net.toml:2: 'time.save_every' (not given): is needed"));
}

struct Rare {
  std::optional<bool> flag;
  std::optional<std::string> file;
  std::vector<Envelope> envelopes = {{.rise = 0.5}, {.rise = 0.75}};
  template <class V>
  void describe(V& v) {
    v.flag("flag", flag);
    v.path("file", file);
    v.tables("envelopes", envelopes, "");
  }
};

TEST(Reading, KeepsDefaultEntriesUnlessTheFileHasTheList) {
  const auto absent = load_text<Rare>("", "net.toml", {});
  ASSERT_EQ(absent.options.envelopes.size(), 2U);
  EXPECT_EQ(absent.options.envelopes[1].rise, 0.75);
  EXPECT_EQ(absent.where.at("envelopes.1.rise"), "default");
  const auto given = load_text<Rare>("[[envelopes]]", "net.toml", {});
  ASSERT_EQ(given.options.envelopes.size(), 1U);
  EXPECT_EQ(given.options.envelopes[0].rise, 0.25);
  EXPECT_TRUE(load_text<Rare>("envelopes = []", "net.toml", {}).options.envelopes.empty());
}

TEST(Reading, TellsUnsetFromGivenOptions) {
  EXPECT_FALSE(load_text<Rare>("", "net.toml", {}).options.flag);
  EXPECT_EQ(load_text<Rare>("flag = false", "net.toml", {}).options.flag, false);
  EXPECT_FALSE(load_text<Rare>("", "net.toml", {}).options.file);
  EXPECT_EQ(load_text<Rare>("file = 'x'", "/data/net.toml", {}).options.file, "/data/x");
}

struct Demanding {
  std::int64_t seed = 0;
  std::optional<double> limit;
  struct Inner {
    std::string file;
    template <class V>
    void describe(V& v) {
      v.path("file", file, {.doc = "file", .required = true});
    }
  } inner;
  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed", .minimum = 0, .required = true});
    v.table("inner", inner, "inner");
  }
};

TEST(Reading, DemandsRequiredKeys) {
  EXPECT_THAT(complaint<Demanding>("inner.file = 'x'"),
              mentions("net.toml", "required", "'seed'", "an integer, at least 0"));
  EXPECT_THAT(complaint<Demanding>("seed = 1\n[inner]"), mentions("net.toml:2", "'inner.file'", "a file name"));
  EXPECT_THAT(complaint<Demanding>("seed = 1"), mentions("'inner.file' is missing"));
  EXPECT_NO_THROW(load_text<Demanding>("seed = 1\ninner.file = 'x'", "net.toml", {}));
}

TEST(Reading, NamesTheMisspeltKeyRatherThanTheMissingOne) {
  EXPECT_THAT(complaint<Demanding>("sead = 1\ninner.file = 'x'"), mentions("unknown key 'sead'", "'seed'"));
}

TEST(Reading, MakesPathsAbsoluteFromTheFilesFolder) {
  const auto here = std::filesystem::current_path();
  const auto path_of = [](const Loaded<Root>& loaded) { return std::filesystem::path(loaded.options.network.file); };
  EXPECT_EQ(path_of(read("network.file = '../a.h5'", {}, "configs/net.toml")), here / "a.h5");
  EXPECT_EQ(path_of(read("network.file = 'a.h5'", {}, "configs/net.toml")), here / "configs/a.h5");
  EXPECT_EQ(path_of(read("", {"network.file=a.h5"}, "configs/net.toml")), here / "a.h5");
  EXPECT_EQ(path_of(read("network.file = '/data/a.h5'", {}, "configs/net.toml")), "/data/a.h5");
  EXPECT_EQ(path_of(read("", {}, "configs/net.toml")), "");
}

}  // namespace
}  // namespace rankflow::config::sample
