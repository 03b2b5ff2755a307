#pragma once
#include <algorithm>
#include <cstdint>

namespace rankflow::parallel {

/// Neurons are dealt in tiles of this many. Sums are formed tile by tile, so a tile never is split
/// between ranks: that is what makes sums independent of the rank count. 512 doubles of a few arrays
/// fit the first-level cache.
inline constexpr std::int64_t tile_size = 512;
/// The same, to size an array.
inline constexpr auto tile_length = static_cast<std::size_t>(tile_size);

/// Contiguous share of `items` global items (neurons) that one rank holds: whole tiles, the first
/// tiles on the first ranks. A rank may hold none. Padding: storage is in whole tiles; entries past the
/// last item are zero.
class Partition {
 public:
  Partition() = default;
  Partition(std::int64_t items, int ranks, int rank) : items_(items) {
    const std::int64_t tiles = (items + tile_size - 1) / tile_size;
    first_tile_ = share(tiles, ranks, rank);
    end_tile_ = share(tiles, ranks, rank + 1);
  }

  /// Items over all ranks (N).
  std::int64_t global_count() const noexcept { return items_; }
  /// Global index of this rank's first item.
  std::int64_t begin() const noexcept { return std::min(first_tile_ * tile_size, items_); }
  /// One past the global index of this rank's last item.
  std::int64_t end() const noexcept { return std::min(end_tile_ * tile_size, items_); }
  /// Items on this rank.
  std::int64_t count() const noexcept { return end() - begin(); }
  bool empty() const noexcept { return count() == 0; }
  /// Tiles on this rank.
  std::int64_t tiles() const noexcept { return end_tile_ - first_tile_; }
  /// Length of an array of this rank's items in whole tiles.
  std::int64_t padded_count() const noexcept { return tiles() * tile_size; }
  /// Global index of the first item of local tile `tile`.
  std::int64_t tile_begin(std::int64_t tile) const noexcept { return (first_tile_ + tile) * tile_size; }
  /// Items in local tile `tile` that exist (tile_size but for the last tile of the population).
  std::int64_t tile_count(std::int64_t tile) const noexcept { return std::min(tile_size, items_ - tile_begin(tile)); }

  friend bool operator==(const Partition&, const Partition&) = default;

 private:
  static std::int64_t share(std::int64_t tiles, int ranks, int rank) {
    return tiles / ranks * rank + std::min<std::int64_t>(tiles % ranks, rank);
  }

  std::int64_t items_ = 0;
  std::int64_t first_tile_ = 0;
  std::int64_t end_tile_ = 0;
};

}  // namespace rankflow::parallel
