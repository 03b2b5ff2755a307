#include "parallel/partition.hpp"

#include <gtest/gtest.h>

namespace rankflow::parallel {
namespace {

TEST(Partition, CoversEveryItemOnceInWholeTiles) {
  for (const std::int64_t items : {0L, 1L, 511L, 512L, 513L, 5000L, 100000007L}) {
    for (const int ranks : {1, 2, 3, 4, 7, 64}) {
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Partition part(items, ranks, rank);
        EXPECT_EQ(part.begin(), next);
        EXPECT_GE(part.count(), 0);
        EXPECT_TRUE(part.empty() || part.begin() % tile_size == 0);
        EXPECT_GE(part.padded_count(), part.count());
        EXPECT_LT(part.padded_count() - part.count(), tile_size);
        next = part.end();
      }
      EXPECT_EQ(next, items);
    }
  }
}

TEST(Partition, MoreRanksThanTilesLeavesEmptyRanks) {
  const Partition last(1000, 4, 3);
  EXPECT_TRUE(last.empty());
  EXPECT_EQ(last.tiles(), 0);
  const Partition second(1000, 4, 1);
  EXPECT_EQ(second.count(), 1000 - 512);
  EXPECT_EQ(second.tile_count(0), 488);
}

TEST(Partition, SharesDifferByOneTileAtMost) {
  for (int rank = 0; rank < 7; ++rank) {
    const auto tiles = Partition(512 * 30, 7, rank).tiles();
    EXPECT_TRUE(tiles == 4 || tiles == 5);
  }
}

}  // namespace
}  // namespace rankflow::parallel
