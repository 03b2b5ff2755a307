#pragma once
#include <cstddef>
#include <cstdint>

#include "parallel/draws_tiles.hpp"
#include "parallel/simd_units.hpp"

/// Rejection over the items of a tile; for the files draws*.cpp only.
namespace rankflow::parallel {

/// Items of a tile that still want a value, one bit each.
class Pending {
 public:
  static_assert(tile_words == 32);
  void add(std::size_t item) { items_ |= 1u << item; }
  void add_all() { items_ = ~0u; }
  bool any() const { return items_ != 0; }

  /// Calls accept(item) for each; those for which it returns true are done.
  template <class Accept>
  void try_each(Accept accept) {
    for (std::size_t item = 0; item < tile_words; ++item) {
      const std::uint32_t bit = 1u << item;
      if ((items_ & bit) != 0 && accept(item)) items_ &= ~bit;
    }
  }

 private:
  std::uint32_t items_ = 0;
};

/// One double per item of a tile.
using TileValues = std::array<double, tile_words>;

/// Uniform numbers in (0,1) of rejection round key `round`.
inline void round_uniforms(const TileSource& source, std::uint64_t tile, std::uint32_t round, TileValues& values) {
  alignas(64) Words words;
  source.words(tile, round, words);
  units(words, values.data());
}

/// Standard normal numbers of rejection round key `round`.
inline void round_normals(const TileSource& source, std::uint64_t tile, std::uint32_t round, TileValues& values) {
  alignas(64) Words words;
  source.words(tile, round, words);
  box_muller(words, values.data());
}

/// exp(−x), item by item.
inline void exponentials_of_negative(const TileValues& x, TileValues& values) {
  for (std::size_t item = 0; item < tile_words; item += Values<double>::size) {
    xsimd::exp(Values<double>(0.0) - Values<double>::load_unaligned(x.data() + item))
        .store_unaligned(values.data() + item);
  }
}

}  // namespace rankflow::parallel
