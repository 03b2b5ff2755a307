#include "parallel/tree_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/allocation_counter.hpp"

namespace rankflow::parallel {
namespace {

using Vectors = std::vector<std::vector<double>>;

Communicator world() {
  return Communicator::duplicate(MPI_COMM_WORLD);
}

/// Leaves that every rank knows; magnitudes differ, so that the order of additions shows in the bits.
Vectors make_leaves(std::int64_t leaves, std::size_t length) {
  std::mt19937_64 generator(static_cast<std::uint64_t>(31 * leaves) + length);
  std::normal_distribution<double> normal;
  Vectors values(static_cast<std::size_t>(leaves), std::vector<double>(length));
  for (auto& leaf : values)
    for (auto& value : leaf) value = std::ldexp(normal(generator), static_cast<int>(generator() % 12));
  return values;
}

/// The definition, written as such: level by level.
std::vector<double> oracle(Vectors level) {
  while (level.size() > 1) {
    Vectors above;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      above.push_back(level[i]);
      if (i + 1 < level.size())
        for (std::size_t k = 0; k < level[i].size(); ++k) above.back()[k] += level[i + 1][k];
    }
    level = above;
  }
  return level.front();
}

std::vector<double> left_to_right(const Vectors& leaves) {
  auto sum = leaves.front();
  for (std::size_t i = 1; i < leaves.size(); ++i)
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += leaves[i][k];
  return sum;
}

/// Bounds of leaves drawn at random, the same on every rank; some ranks hold none.
std::vector<std::int64_t> random_bounds(std::int64_t leaves, int ranks, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<std::int64_t> bounds{0, leaves};
  for (int r = 1; r < ranks; ++r)
    bounds.push_back(static_cast<std::int64_t>(generator() % static_cast<std::uint64_t>(leaves + 1)));
  std::ranges::sort(bounds);
  return bounds;
}

template <class T>
std::vector<double> sum_over_ranks(const Communicator& comm, TreeSum& tree, const std::vector<std::vector<T>>& leaves,
                                   const std::vector<std::int64_t>& bounds) {
  const auto rank = static_cast<std::size_t>(comm.rank());
  tree.start(bounds[rank], bounds[rank + 1]);
  for (auto i = bounds[rank]; i < bounds[rank + 1]; ++i)
    tree.add(std::span<const T>(leaves[static_cast<std::size_t>(i)]));
  std::vector<double> result(leaves.front().size(), std::numeric_limits<double>::quiet_NaN());
  tree.finish(comm, bounds, result);
  return result;
}

TEST(TreeSum, HasTheBitsOfTheSerialTreeHoweverLeavesAreDealt) {
  const auto comm = world();
  for (const std::int64_t leaves : {1, 2, 3, 5, 8, 13, 31, 100})
    for (const std::size_t length : {1U, 3U, 64U}) {
      const auto values = make_leaves(leaves, length);
      TreeSum tree(leaves, static_cast<std::int64_t>(length));
      for (std::uint64_t seed = 0; seed < 8; ++seed)
        EXPECT_EQ(sum_over_ranks(comm, tree, values, random_bounds(leaves, comm.size(), seed)), oracle(values))
            << leaves << " leaves of " << length << ", bounds of seed " << seed;
      if (leaves >= 8 && length >= 64) {
        EXPECT_NE(left_to_right(values), oracle(values)) << "control: another order, other bits";
      }
    }
}

TEST(TreeSum, SinglePrecisionLeavesAreAddedInDouble) {
  const auto comm = world();
  const Vectors values = make_leaves(21, 10);
  std::vector<std::vector<float>> narrow;
  Vectors rounded;
  for (const auto& leaf : values) {
    narrow.emplace_back(leaf.begin(), leaf.end());
    rounded.emplace_back(narrow.back().begin(), narrow.back().end());
  }
  TreeSum tree(21, 10);
  EXPECT_EQ(sum_over_ranks(comm, tree, narrow, random_bounds(21, comm.size(), 3)), oracle(rounded));
  EXPECT_NE(oracle(rounded), oracle(values)) << "control";
}

TEST(TreeSum, OfSinglePrecisionTakesLeavesThatAreWrittenInPlace) {
  const auto comm = world();
  const auto rank = static_cast<std::size_t>(comm.rank());
  std::vector<std::vector<float>> leaves;
  for (const auto& leaf : make_leaves(21, 10)) leaves.emplace_back(leaf.begin(), leaf.end());
  auto level = leaves;
  while (level.size() > 1) {
    for (std::size_t i = 0; i + 1 < level.size(); i += 2)
      std::ranges::transform(level[i], level[i + 1], level[i].begin(), [](float a, float b) { return a + b; });
    for (std::size_t i = 2; i < level.size(); i += 2) level[i / 2] = level[i];
    level.resize((level.size() + 1) / 2);
  }
  BasicTreeSum<float> tree(21, 10);
  const auto bounds = random_bounds(21, comm.size(), 4);
  tree.start(bounds[rank], bounds[rank + 1]);
  for (auto i = bounds[rank]; i < bounds[rank + 1]; ++i) {
    std::ranges::copy(leaves[static_cast<std::size_t>(i)], tree.next_leaf().begin());
    tree.add_written();
  }
  std::vector<float> result(10);
  tree.finish(comm, bounds, result);
  EXPECT_EQ(result, level.front());
  const auto in_double = oracle({make_leaves(21, 10)});
  EXPECT_NE(std::vector<double>(result.begin(), result.end()), in_double) << "control: single precision rounds";
}

TEST(TreeSum, LaterSumsAllocateNothing) {
  const auto comm = world();
  const auto values = make_leaves(13, 40);
  const auto bounds = random_bounds(13, comm.size(), 5);
  const auto rank = static_cast<std::size_t>(comm.rank());
  TreeSum tree(13, 40);
  std::vector<double> result(40);
  const auto pass = [&] {
    tree.start(bounds[rank], bounds[rank + 1]);
    for (auto i = bounds[rank]; i < bounds[rank + 1]; ++i)
      tree.add(std::span<const double>(values[static_cast<std::size_t>(i)]));
    tree.finish(comm, bounds, result);
  };
  auto before = rankflow::testing::allocations.load();
  pass();
  if (bounds[rank] < bounds[rank + 1]) {
    EXPECT_GT(rankflow::testing::allocations.load(), before) << "control: the first sum allocates";
  }
  before = rankflow::testing::allocations.load();
  pass();
  EXPECT_EQ(rankflow::testing::allocations.load(), before);
}

TEST(TreeSum, SumsThatAreNotFiniteStaySo) {
  const auto comm = world();
  auto values = make_leaves(6, 3);
  values[4][1] = std::numeric_limits<double>::quiet_NaN();
  TreeSum tree(6, 3);
  const auto sum = sum_over_ranks(comm, tree, values, random_bounds(6, comm.size(), 1));
  EXPECT_TRUE(std::isfinite(sum[0]));
  EXPECT_TRUE(std::isnan(sum[1]));
}

TEST(TreeSum, RefusesMissingLeavesAndOtherBounds) {
  const auto comm = world();
  TreeSum tree(4, 2);
  std::vector<double> result(2);
  const std::vector<double> leaf{1.0, 2.0};
  std::vector<std::int64_t> bounds(static_cast<std::size_t>(comm.size()) + 1, 4);
  bounds.front() = 0;
  const std::int64_t mine = comm.is_root() ? 4 : 0;
  tree.start(4 - mine, 4);
  EXPECT_THROW(tree.add(std::span<const double>(result).first(1)), InternalError) << "wrong length";
  for (std::int64_t i = 0; i + 1 < mine; ++i) tree.add(std::span<const double>(leaf));
  if (comm.is_root()) {
    EXPECT_THROW(tree.finish(comm, bounds, result), InternalError) << "a leaf is missing";
    tree.add(std::span<const double>(leaf));
    EXPECT_THROW(tree.add(std::span<const double>(leaf)), InternalError) << "a leaf too many";
  }
  auto short_bounds = bounds;
  short_bounds.back() = 3;
  EXPECT_THROW(tree.finish(comm, short_bounds, result), InternalError);
  tree.finish(comm, bounds, result);
  EXPECT_EQ(result, (std::vector<double>{4.0, 8.0}));
}

}  // namespace
}  // namespace rankflow::parallel
