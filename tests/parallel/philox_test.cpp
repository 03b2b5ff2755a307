#include "parallel/philox.hpp"

#include <random>

#include <gtest/gtest.h>

namespace rankflow::parallel {
namespace {

struct KnownAnswer {
  PhiloxBlock counter;
  PhiloxKey key;
  PhiloxBlock output;
};

// The lines "philox4x32 10" of kat_vectors, distributed with Random123.
const KnownAnswer known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

using Words = std::array<std::uint64_t, tile_words>;

TileCounter tile_counter(const PhiloxBlock& c) {
  return {c[0] | (std::uint64_t{c[1] & 0xffff} << 32), c[1] >> 16, c[2], c[3]};
}

PhiloxBlock block_of(const Words& words, std::size_t block) {
  const std::uint64_t low = words[block];
  const std::uint64_t high = words[tile_blocks + block];
  return {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32), static_cast<std::uint32_t>(high),
          static_cast<std::uint32_t>(high >> 32)};
}

TEST(Philox, GivesTheKnownAnswers) {
  for (const KnownAnswer& known : known_answers) EXPECT_EQ(philox(known.key, known.counter), known.output);
}

TEST(PhiloxTile, GivesTheKnownAnswers) {
  for (const KnownAnswer& known : known_answers) {
    Words words;
    philox_tile(known.key, tile_counter(known.counter), words);
    EXPECT_EQ(block_of(words, 0), known.output);
    EXPECT_NE(block_of(words, 1), known.output);
  }
}

TEST(PhiloxTile, EqualsTheScalarCipherForRandomCountersAndKeys) {
  std::mt19937_64 engine(7);
  const auto word = [&] { return static_cast<std::uint32_t>(engine()); };
  for (int repeat = 0; repeat < 2000; ++repeat) {
    const PhiloxKey key{word(), word()};
    const TileCounter counter{engine() >> 17, word() >> 16, word(), word()};
    Words words;
    philox_tile(key, counter, words);
    for (std::size_t block = 0; block < tile_blocks; ++block) {
      const std::uint64_t number = counter.first_block + block;
      const PhiloxBlock scalar_counter{static_cast<std::uint32_t>(number),
                                       static_cast<std::uint32_t>(number >> 32) | (counter.index << 16), counter.step,
                                       counter.trial};
      ASSERT_EQ(block_of(words, block), philox(key, scalar_counter)) << "block " << block << " of " << number;
    }
  }
}

TEST(PhiloxTile, CarriesIntoTheUpperHalfOfTheBlockNumber) {
  const PhiloxKey key{1, 2};
  Words words;
  philox_tile(key, {0xfffffff8u, 3, 4, 5}, words);
  EXPECT_EQ(block_of(words, 7), philox(key, {0xffffffffu, 3u << 16, 4, 5}));
  EXPECT_EQ(block_of(words, 8), philox(key, {0, 1u | (3u << 16), 4, 5}));
  EXPECT_NE(block_of(words, 8), philox(key, {0, 3u << 16, 4, 5}));
}

}  // namespace
}  // namespace rankflow::parallel
