#include <bit>
#include <limits>

#include "config/sample_options.hpp"
#include "config/toml_text.hpp"

namespace rankflow::config::sample {
namespace {

const std::string full = R"(
[network]
label = "tab\t quote\" back\\ line\n µ \u007F"
file = "data/net.h5"
mean = [0.1, -0.0]
covariance = [[1e-300, 5e-324], [1e300, 123456789.123456789]]
m = { file = "w.npz:m", transpose = true, scale = 0.3333333333333333 }
bulk = {}
[[inputs]]
[[inputs]]
channels = []
envelope.rise = 1.0000000000000002
)";

/// Reads the resolved text as if from another folder, as a program that opens an output file would.
Loaded<Root> again(const Loaded<Root>& loaded) {
  return read(loaded.resolved, {}, "elsewhere/run.toml");
}

TEST(Resolved, ReadsBackToTheSameValuesAndText) {
  const auto first = read(full);
  const auto second = again(first);
  EXPECT_EQ(first.resolved, second.resolved);
  const auto& a = first.options.network;
  const auto& b = second.options.network;
  EXPECT_EQ(a.label, "tab\t quote\" back\\ line\n µ \x7F");
  EXPECT_EQ(a.label, b.label);
  EXPECT_EQ(a.file, b.file);
  EXPECT_EQ(a.covariance, b.covariance);
  EXPECT_EQ(b.covariance[0][1], std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::signbit(b.mean[1]));
  EXPECT_EQ(a.m.path, b.m.path);
  EXPECT_EQ(b.m.member, "m");
  EXPECT_TRUE(b.m.transpose);
  EXPECT_EQ(a.m.scale, b.m.scale);
  EXPECT_TRUE(b.bulk);
  ASSERT_EQ(second.options.inputs.size(), 2U);
  EXPECT_THAT(second.options.inputs[0].channels, testing::ElementsAre(0));
  EXPECT_TRUE(second.options.inputs[1].channels.empty());
  EXPECT_EQ(second.options.inputs[1].envelope.rise, 1.0 + std::numeric_limits<double>::epsilon());
}

TEST(Resolved, DiffersWhenAValueDoes) {
  EXPECT_EQ(read(full).resolved, read(full).resolved);
  EXPECT_NE(read(full).resolved, read(full, {"time.step=0.0010000000000000002"}).resolved);
  EXPECT_NE(read("").resolved, read("[[inputs]]").resolved);
  EXPECT_NE(read("").resolved, read("[network.bulk]").resolved);
}

TEST(Resolved, HoldsDefaultsButNoUnsetOptions) {
  const auto text = read("").resolved;
  EXPECT_THAT(text, mentions("[network]\nneurons = 1000\n", "[time]\nstep = 0.001\n", "method = \"euler\"\n",
                             "mean = [0.5, 0.1]\n", "inputs = []\n"));
  EXPECT_THAT(text, testing::Not(testing::AnyOf(testing::HasSubstr("save_every"), testing::HasSubstr("bulk"))));
}

TEST(Resolved, KeepsInlineArraysOfEveryDepth) {
  for (const std::string value :
       {"[1.5]", "[]", "[[], []]", "[[[1, 2]], [[3, 4]]]", "{ values = [[1, 2]], scale = 3 }"}) {
    const auto first = read("network.m = " + value);
    const auto second = again(first);
    EXPECT_EQ(first.options.network.m.values, second.options.network.m.values) << value;
    EXPECT_EQ(first.options.network.m.shape, second.options.network.m.shape) << value;
    EXPECT_EQ(first.options.network.m.scale, second.options.network.m.scale) << value;
  }
}

struct Unbounded {
  double limit = std::numeric_limits<double>::infinity();
  template <class V>
  void describe(V& v) {
    v.real("limit", limit, {.doc = "limit"});
  }
};

TEST(Resolved, LeavesOutDefaultsThatNoFileCouldState) {
  const auto first = load_text<Unbounded>("", "net.toml", {});
  EXPECT_EQ(first.resolved, "");
  EXPECT_EQ(load_text<Unbounded>("limit = 2", "net.toml", {}).resolved, "limit = 2.0\n");
}

TEST(RealText, IsShortestAndReadsBackBitForBit) {
  EXPECT_EQ(real_text(0.1), "0.1");
  EXPECT_EQ(real_text(1.0), "1.0");
  EXPECT_EQ(real_text(-0.0), "-0.0");
  std::uint64_t bits = 0x9E3779B97F4A7C15U;
  for (int i = 0; i < 2000; ++i) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    const auto value = std::bit_cast<double>(bits);
    if (!std::isfinite(value)) continue;
    const auto options = load_text<Unbounded>("limit = " + real_text(value), "net.toml", {}).options;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(options.limit), bits) << real_text(value);
  }
}

}  // namespace
}  // namespace rankflow::config::sample
