#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace rankflow::parallel {

/// 64-bit key of Philox4x32.
struct PhiloxKey {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  friend bool operator==(const PhiloxKey&, const PhiloxKey&) = default;
};

/// 128-bit counter or output block of Philox4x32, first word first.
using PhiloxBlock = std::array<std::uint32_t, 4>;

/// Blocks that are made at once: one AVX-512 register of 32-bit words, four of SSE.
inline constexpr int tile_blocks = 16;
/// 64-bit words of a tile.
inline constexpr int tile_words = 2 * tile_blocks;

/// One block of Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
/// 1, 2, 3", SC11), by Random123.
PhiloxBlock philox(PhiloxKey key, const PhiloxBlock& counter);

/// Counters of a tile. Block l of the tile has the counter
///   word 0: low 32 bits of first_block + l
///   word 1: bits 32 to 47 of first_block + l, and `index` in the upper half
///   word 2: step        word 3: trial
struct TileCounter {
  std::uint64_t first_block = 0;  ///< < 2^48
  std::uint32_t index = 0;        ///< < 2^16
  std::uint32_t step = 0;
  std::uint32_t trial = 0;
};

/// `tile_blocks` blocks at once, vectorised: bit for bit those of philox().
/// Output words 0 and 1 of block l make words[l] (word 0 in the lower half), output words 2 and 3 make
/// words[tile_blocks + l].
void philox_tile(PhiloxKey key, const TileCounter& counter, std::span<std::uint64_t, tile_words> words);

}  // namespace rankflow::parallel
