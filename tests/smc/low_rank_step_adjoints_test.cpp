#include "smc/low_rank_step_adjoints.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "low_rank_step_support.hpp"

namespace rankflow::smc::testing {
namespace {

template <class T>
struct Results {
  Numbers<T> zeta;
  WeightSums<T> weights;
  bool operator==(const Results&) const = default;
};

/// Adjoints of a case as the first of so many blocks; its zeta adjoints are those of all steps, added.
template <class T>
Results<T> adjoints_of(const Case<T>& c, StepAdjoints<T>& adjoints) {
  Results<T> results{Numbers<T>(c.size(c.weights.states * block_lanes)), WeightSums<T>(c)};
  const PreparedStep<T> step(c.weights);
  for (const auto& record : c.records) adjoints.add(step, 0, record, results.zeta.data());
  adjoints.finish(step, 0, results.weights.views());
  return results;
}

template <class T>
StepAdjoints<T> adjoints_for(const Case<T>& c, std::int64_t blocks) {
  return StepAdjoints<T>(c.weights.neurons, c.weights.states, c.weights.rank, blocks,
                         static_cast<std::int64_t>(c.records.size()));
}

/// Blocks whose sums are more than any cache's worth.
template <class T>
std::int64_t too_many_blocks(const Case<T>& c) {
  return 1 + (std::int64_t{1} << 22) / static_cast<std::int64_t>((c.m.size() + c.n.size() + c.bias.size()) *
                                                                 xsimd::batch<T>::size * sizeof(T));
}

template <class T>
void expect_equal_bits(const Case<T>& c, const Case<T>& other) {
  StepAdjoints<T> at_once = adjoints_for(c, 1), apart = adjoints_for(c, too_many_blocks(c));
  ASSERT_TRUE(at_once.at_once());
  ASSERT_FALSE(apart.at_once());
  const Results<T> expected = adjoints_of(c, apart);
  Results<T> found = adjoints_of(c, at_once);
  // Vectors that hold a counted lane are computed whole by either, and differ beyond it.
  for (std::int64_t row = 0; row < c.weights.states; ++row)
    for (std::int64_t lane = c.lanes; lane < block_lanes; ++lane)
      found.zeta[c.size(row * block_lanes + lane)] = expected.zeta[c.size(row * block_lanes + lane)];
  EXPECT_TRUE(found == expected) << c.label();
  EXPECT_FALSE(adjoints_of(other, at_once) == expected) << c.label();
}

TEST(StepAdjoints, AtOnceOrApartGivesTheSameBits) {
  struct Sizes {
    std::int64_t neurons, states, rank, lanes, steps;
  };
  // More steps than one tile of records, more neurons than a tile, every number of vectors.
  for (const Sizes s : {Sizes{600, 3, 3, 50, 4},
                        {5, 3, 3, 64, 300},
                        {31, 2, 2, 16, 128},
                        {31, 5, 3, 33, 3},
                        {9, 8, 7, 60, 2},
                        {2, 1, 1, 1, 129},
                        {7, 2, 5, 11, 5}})
    for (const Activation activation : every_activation) {
      const Case<float> c(activation, s.neurons, s.states, s.rank, s.lanes, s.steps);
      expect_equal_bits(c, Case<float>(activation, s.neurons, s.states, s.rank, s.lanes, s.steps + 1));
      const Case<double> d(activation, s.neurons, s.states, s.rank, s.lanes, s.steps);
      expect_equal_bits(d, Case<double>(activation, s.neurons, s.states, s.rank, s.lanes, s.steps + 1));
    }
}

TEST(StepAdjoints, FinishForgetsAndLeavesOtherBlocksAlone) {
  const Case<float> c(Activation::clipped_relu, 20, 3, 3, 50, 3);
  const PreparedStep<float> step(c.weights);
  for (const std::int64_t blocks : {std::int64_t{2}, too_many_blocks(c)}) {
    StepAdjoints<float> adjoints = adjoints_for(c, blocks);
    Numbers<float> zeta(c.size(3 * block_lanes));
    adjoints.add(step, 1, c.records[0], zeta.data());
    const Results<float> first = adjoints_of(c, adjoints);
    EXPECT_TRUE(adjoints_of(c, adjoints) == first);
    WeightSums<float> other(c);
    adjoints.finish(step, 1, other.views());
    EXPECT_FALSE(other == first.weights);
    EXPECT_FALSE(other == WeightSums<float>(c)) << "the other block's adjoints were lost";
  }
}

TEST(StepAdjoints, LargeSizesAreDoneApart) {
  EXPECT_TRUE(StepAdjoints<float>(512, 3, 3, 2, 50).at_once());
  EXPECT_FALSE(StepAdjoints<float>(100000, 3, 3, 2, 50).at_once());
  EXPECT_FALSE(StepAdjoints<float>(5, 9, 3, 1, 50).at_once()) << "more rows than registers";
}

TEST(StepAdjoints, WeightsOfOtherSizesAreNamed) {
  const Case<float> c(Activation::relu, 5, 2, 2, 10);
  StepAdjoints<float> adjoints(6, 2, 2, 1, 1);
  Numbers<float> zeta(c.size(2 * block_lanes));
  try {
    adjoints.add(PreparedStep<float>(c.weights), 0, c.records[0], zeta.data());
    FAIL() << "no error";
  } catch (const InternalError& error) {
    EXPECT_STREQ(error.what(),
                 "low-rank step: 5 neurons, 2 states and rank 2, but its adjoints were made for 6, 2 and 2");
  }
}

}  // namespace
}  // namespace rankflow::smc::testing
