#include "parallel/philox.hpp"

#include <Random123/philox.h>

#include "parallel/simd_words.hpp"

namespace rankflow::parallel {
namespace {

constexpr int lanes = static_cast<int>(WordBatch::size);
static_assert(tile_blocks % lanes == 0);

/// Blocks side by side, one per 64-bit lane. Only the low half of each lane counts, so that products
/// need no unpacking.
struct State {
  WordBatch c0, c1, c2, c3;

  State(const TileCounter& counter, int offset) {
    alignas(WordBatch) std::array<std::uint64_t, WordBatch::size> blocks;
    for (int lane = 0; lane < lanes; ++lane) {
      blocks[static_cast<std::size_t>(lane)] = counter.first_block + static_cast<std::uint64_t>(offset + lane);
    }
    c0 = WordBatch::load_aligned(blocks.data());
    c1 = (c0 >> 32) | WordBatch(std::uint64_t{counter.index} << 16);
    c2 = WordBatch(counter.step);
    c3 = WordBatch(counter.trial);
  }

  void round(const WordBatch& key_low, const WordBatch& key_high) {
    const WordBatch even = multiply_low_halves(c0, WordBatch(PHILOX_M4x32_0));
    const WordBatch odd = multiply_low_halves(c2, WordBatch(PHILOX_M4x32_1));
    c0 = (odd >> 32) ^ c1 ^ key_low;
    c2 = (even >> 32) ^ c3 ^ key_high;
    c1 = odd;
    c3 = even;
  }

  void store(std::uint64_t* words) const {
    join_low_halves(c0, c1).store_unaligned(words);
    join_low_halves(c2, c3).store_unaligned(words + tile_blocks);
  }
};

}  // namespace

PhiloxBlock philox(PhiloxKey key, const PhiloxBlock& counter) {
  const r123::Philox4x32::ctr_type input = {{counter[0], counter[1], counter[2], counter[3]}};
  const r123::Philox4x32::key_type random123_key = {{key.low, key.high}};
  const auto output = r123::Philox4x32()(input, random123_key);
  return {output[0], output[1], output[2], output[3]};
}

void philox_tile(PhiloxKey key, const TileCounter& counter, std::span<std::uint64_t, tile_words> words) {
  // Two vectors at a time hide the latency of the multiplications.
  for (int offset = 0; offset < tile_blocks; offset += 2 * lanes) {
    State first(counter, offset);
    State second(counter, offset + lanes);
    WordBatch key_low(key.low);
    WordBatch key_high(key.high);
    for (int round = 0; round < philox4x32_rounds; ++round) {
      first.round(key_low, key_high);
      second.round(key_low, key_high);
      key_low += WordBatch(PHILOX_W32_0);
      key_high += WordBatch(PHILOX_W32_1);
    }
    first.store(words.data() + offset);
    second.store(words.data() + offset + lanes);
  }
}

}  // namespace rankflow::parallel
