#include "parallel/random_stream.hpp"

#include <set>
#include <utility>

#include <gtest/gtest.h>

namespace rankflow::parallel {
namespace {

std::pair<std::uint32_t, std::uint32_t> pair_of(PhiloxKey key) {
  return {key.low, key.high};
}

TEST(Stream, KeyIsThePhiloxImageOfSeedAndPurpose) {
  const std::uint64_t seed = 0x0123456789abcdef;
  const PhiloxBlock block = philox({0x89abcdef, 0x01234567}, {15, 0, 0, 0});
  const PhiloxKey expected{block[0], block[1]};
  EXPECT_EQ(Stream(seed, Purpose::test).key(), expected);
  EXPECT_NE(Stream(seed, Purpose::spikes).key(), expected);
  EXPECT_NE(Stream(seed + 1, Purpose::test).key(), expected);
}

TEST(Stream, SeedsPurposesAndRoundsHaveKeysOfTheirOwn) {
  constexpr std::uint64_t seeds = 200;
  constexpr std::uint32_t rounds = 20;
  std::set<std::pair<std::uint32_t, std::uint32_t>> keys;
  for (std::uint64_t s = 0; s < seeds; ++s) {
    // Seeds that differ only above bit 32 count too.
    const std::uint64_t seed = (s % 2 == 0) ? s : s << 32;
    for (const Purpose purpose : all_purposes) {
      for (std::uint32_t round = 0; round < rounds; ++round) keys.insert(pair_of(Stream(seed, purpose).key(round)));
    }
  }
  EXPECT_EQ(keys.size(), seeds * all_purposes.size() * rounds);
}

TEST(Stream, EveryPurposeIsListed) {
  // Purposes are numbered without gaps, so a purpose missing from the list shows here.
  for (std::size_t i = 0; i < all_purposes.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(all_purposes[i]), i);
  }
  EXPECT_EQ(all_purposes.back(), Purpose::sliced_points);
}

}  // namespace
}  // namespace rankflow::parallel
