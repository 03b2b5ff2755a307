#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/error.hpp"
#include "parallel/random_stream.hpp"

/// How ranges of items are cut into tiles; for the files draws*.cpp only.
namespace rankflow::parallel {

/// Items of a tile that use 8 * `bytes` bits each.
constexpr int items_per_tile(std::size_t bytes) {
  return tile_words * 8 / static_cast<int>(bytes);
}

/// The random words of one tile.
using Words = std::array<std::uint64_t, tile_words>;

/// Words of tile `tile` of a draw.
class TileSource {
 public:
  TileSource(const Stream& stream, Draw draw) : stream_(stream), draw_(draw) {}

  void words(std::uint64_t tile, std::uint32_t round, Words& out) const {
    philox_tile(stream_.key(round), {tile * tile_blocks, draw_.index, draw_.step, draw_.trial}, out);
  }

 private:
  Stream stream_;
  Draw draw_;
};

inline void require_valid(Draw draw, std::uint64_t first_item, std::size_t count) {
  constexpr std::uint64_t item_end = std::uint64_t{1} << 48;
  if (draw.index >= 1u << 16) {
    throw InternalError("random draw: index {} is outside 0..65535; use another purpose, step or trial", draw.index);
  }
  if (first_item > item_end || count > item_end - first_item) {
    throw InternalError("random draw: items {} to {} are beyond the 48 bits of an item number", first_item,
                        first_item + count);
  }
}

/// The part of a range of items that lies in one tile.
struct Piece {
  std::uint64_t tile;
  std::size_t begin;   ///< place of its first item in the range
  std::size_t offset;  ///< place of its first item in the tile
  std::size_t count;
};

/// Calls action(piece) for every tile of `items` items that meets the range.
template <class Action>
void for_pieces(std::uint64_t first_item, std::size_t size, std::size_t items, Action action) {
  for (std::size_t done = 0; done < size;) {
    const std::uint64_t item = first_item + done;
    const auto offset = static_cast<std::size_t>(item % items);
    const std::size_t count = std::min(items - offset, size - done);
    action(Piece{item / items, done, offset, count});
    done += count;
  }
}

/// Fills `out` tile by tile: make(tile, T* values) computes the `Items` values of a whole tile, in place or,
/// where the range cuts a tile, aside. `make` must not be inlined: two copies of it could contract
/// multiplications and additions differently, and a value would depend on its place in the call.
template <int Items, class T, class Make>
void fill_tiles(std::uint64_t first_item, std::span<T> out, Make make) {
  constexpr auto items = static_cast<std::size_t>(Items);
  for_pieces(first_item, out.size(), items, [&](const Piece& piece) {
    T* const values = out.data() + piece.begin;
    if (piece.count == items) {
      make(piece.tile, values);
      return;
    }
    alignas(64) std::array<T, items> whole;
    make(piece.tile, whole.data());
    std::copy_n(whole.data() + piece.offset, piece.count, values);
  });
}

}  // namespace rankflow::parallel
