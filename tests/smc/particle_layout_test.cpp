#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "core/error.hpp"
#include "smc/particle_layout.hpp"

namespace rankflow::smc {
namespace {

using Shape = std::tuple<std::int64_t, std::int64_t>;  // trials, particles
class Layouts : public ::testing::TestWithParam<Shape> {};

TEST_P(Layouts, DealEveryParticleOnceInOrder) {
  const auto [trials, particles] = GetParam();
  const ParticleLayout layout(trials, particles, 1, 0);
  std::int64_t trial = 0, particle = 0;
  for (std::int64_t b = 0; b < layout.blocks(); ++b) {
    const Block block = layout.block(b);
    ASSERT_GT(block.lanes(), 0) << "block " << b;
    ASSERT_LE(block.lanes(), block_lanes) << "block " << b;
    ASSERT_EQ(block.first_trial, trial) << "block " << b;
    ASSERT_EQ(block.first_particle, particle) << "block " << b;
    if (layout.trials_span_blocks()) {
      ASSERT_EQ(block.trials, 1);
      ASSERT_EQ(layout.particle_begin(b % layout.blocks_per_trial()), particle);
      particle += block.particles;
      if (particle == particles) {
        particle = 0;
        ++trial;
      }
    } else {
      ASSERT_EQ(block.particles, particles);
      trial += block.trials;
    }
  }
  EXPECT_EQ(trial, trials);
  EXPECT_EQ(particle, 0);
  EXPECT_EQ(layout.trials_span_blocks(), particles > block_lanes);
  EXPECT_EQ(layout.particle_begin(layout.blocks_per_trial()), particles);
}

/// The blocks are those of one process; ranks take runs of them that differ by at most one block.
TEST_P(Layouts, GiveRanksEvenRunsOfTheSameBlocks) {
  const auto [trials, particles] = GetParam();
  const ParticleLayout alone(trials, particles, 1, 0);
  for (int ranks = 1; ranks <= 9; ++ranks) {
    std::int64_t next = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const ParticleLayout layout(trials, particles, ranks, rank);
      ASSERT_EQ(layout.blocks(), alone.blocks());
      ASSERT_EQ(layout.first_block(), next);
      next = layout.end_block();
      EXPECT_LE(layout.local_blocks(), alone.blocks() / ranks + 1);
      EXPECT_GE(layout.local_blocks(), alone.blocks() / ranks);
      for (std::int64_t b = layout.first_block(); b < layout.end_block(); ++b) {
        EXPECT_EQ(layout.rank_of_block(b), rank);
        EXPECT_EQ(layout.block(b).first_trial, alone.block(b).first_trial);
        EXPECT_EQ(layout.block(b).first_particle, alone.block(b).first_particle);
        EXPECT_EQ(layout.block(b).lanes(), alone.block(b).lanes());
      }
    }
    EXPECT_EQ(next, alone.blocks());
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Layouts,
                         ::testing::Values(Shape{1, 1}, Shape{1, 64}, Shape{1, 65}, Shape{1, 100000}, Shape{3, 200},
                                           Shape{7, 20}, Shape{10, 10}, Shape{500, 10}, Shape{1000, 1}, Shape{64, 33},
                                           Shape{5, 129}, Shape{2, 1023}));

/// Small trials share blocks as evenly as they fit, so that ranks have like amounts of work.
TEST(Layouts, FillBlocksWithWholeTrials) {
  const ParticleLayout layout(10, 10, 1, 0);
  ASSERT_EQ(layout.blocks(), 2);
  EXPECT_EQ(layout.block(0).trials, 5);
  EXPECT_EQ(layout.block(1).trials, 5);
  EXPECT_EQ(ParticleLayout(1, 100000, 1, 0).blocks(), 1563);
}

TEST(Layouts, NeedTrialsAndParticles) {
  EXPECT_THROW(ParticleLayout(0, 5, 1, 0), InternalError);
  EXPECT_THROW(ParticleLayout(5, 0, 1, 0), InternalError);
}

}  // namespace
}  // namespace rankflow::smc
