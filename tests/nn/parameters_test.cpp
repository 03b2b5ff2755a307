#include "nn/parameters.hpp"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace rankflow::nn {
namespace {

ParameterLayout example() {
  ParameterLayout layout;
  layout.add("m", {4, 3});
  layout.add("decay", {});
  layout.add("none", {0, 5});
  layout.add("weights", {2, 2, 3}, false);
  layout.add("bias", {5});
  return layout;
}

TEST(ParameterLayout, LaysParametersOneAfterTheOther) {
  const auto layout = example();
  EXPECT_EQ(layout.parameters(), 5U);
  EXPECT_EQ(layout.total(), 12 + 1 + 0 + 12 + 5);
  std::int64_t offset = 0;
  for (std::size_t id = 0; id < layout.parameters(); ++id) {
    EXPECT_EQ(layout.offset(id), offset);
    offset += layout.count(id);
  }
  EXPECT_EQ(layout.find("weights"), 3U);
  std::vector<double> flat(static_cast<std::size_t>(layout.total()));
  std::iota(flat.begin(), flat.end(), 0.0);
  const auto bias = layout.part(std::span<const double>(flat), layout.find("bias"));
  EXPECT_EQ(bias.size(), 5U);
  EXPECT_EQ(bias.front(), 25.0);
}

TEST(ParameterLayout, NamesElements) {
  const auto layout = example();
  EXPECT_EQ(layout.describe(0), "m[0,0]");
  EXPECT_EQ(layout.describe(10), "m[3,1]");
  EXPECT_EQ(layout.describe(12), "decay");
  EXPECT_EQ(layout.describe(13 + 6 + 3 + 2), "weights[1,1,2]");
  EXPECT_EQ(layout.describe(29), "bias[4]");
  EXPECT_THROW(layout.describe(30), InternalError);
  EXPECT_THROW(layout.describe(-1), InternalError);
}

TEST(ParameterLayout, KnowsWhatIsTrained) {
  EXPECT_EQ(example().trainable_ranges(), (std::vector<ParameterRange>{{0, 13}, {25, 30}}));
  EXPECT_TRUE(ParameterLayout().trainable_ranges().empty());
}

TEST(ParameterLayout, RefusesWhatIsADefect) {
  auto layout = example();
  EXPECT_THROW(layout.add("m", {1}), InternalError);
  EXPECT_THROW(layout.add("negative", {2, -1}), InternalError);
  EXPECT_THROW(layout.find("absent"), InternalError);
}

TEST(ParameterBuffer, RoundsTheFlatVectorAndCollectsAdjoints) {
  const auto layout = example();
  ParameterBuffer<float> buffer(layout);
  std::vector<double> flat(static_cast<std::size_t>(layout.total()), 0.1);
  flat[10] = 2.5;
  buffer.load(flat);
  const auto m = buffer.array(layout.find("m"));
  EXPECT_EQ(m.rows, 4);
  EXPECT_EQ(m.columns, 3);
  EXPECT_EQ(m.value[3 * 3 + 1], 2.5F);
  EXPECT_EQ(m.value[0], 0.1F);
  const auto weights = buffer.array(layout.find("weights"));
  EXPECT_EQ(weights.rows, 4);
  EXPECT_EQ(weights.columns, 3);
  EXPECT_FALSE(weights.has_adjoint()) << "fixed";
  const auto bias = buffer.array(layout.find("bias"));
  EXPECT_EQ(bias.rows, 1);
  EXPECT_EQ(bias.columns, 5);
  const auto decay = buffer.array(layout.find("decay"));
  EXPECT_EQ(decay.size(), 1);
  EXPECT_EQ(buffer.array(layout.find("none")).size(), 0);
  bias.adjoint[4] = 3.0F;
  EXPECT_EQ(buffer.adjoints()[29], 3.0F);
  buffer.zero_adjoints();
  EXPECT_EQ(buffer.adjoints()[29], 0.0F);
}

}  // namespace
}  // namespace rankflow::nn
