#include "parallel/draws.hpp"

#include "parallel/draws_tiles.hpp"

namespace rankflow::parallel {
namespace {

__extension__ using Product = unsigned __int128;

}  // namespace

void raw(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<std::uint32_t> out) {
  require_valid(draw, first_item, out.size());
  const TileSource source(stream, draw);
  fill_tiles<items_per_tile(4)>(first_item, out, [&](std::uint64_t tile, std::uint32_t* values) {
    Words words;
    source.words(tile, 0, words);
    for (std::size_t word = 0; word < words.size(); ++word) {
      values[2 * word] = static_cast<std::uint32_t>(words[word]);
      values[2 * word + 1] = static_cast<std::uint32_t>(words[word] >> 32);
    }
  });
}

void below(const Stream& stream, Draw draw, std::uint64_t first_item, std::uint64_t bound,
           std::span<std::uint64_t> out) {
  require_valid(draw, first_item, out.size());
  if (bound == 0) throw InternalError("random draw: no integer is below a bound of 0; ask for a bound of at least 1");
  const TileSource source(stream, draw);
  fill_tiles<items_per_tile(8)>(first_item, out, [&](std::uint64_t tile, std::uint64_t* values) {
    Words words;
    source.words(tile, 0, words);
    for (std::size_t word = 0; word < words.size(); ++word) {
      values[word] = static_cast<std::uint64_t>((Product{words[word]} * bound) >> 64);
    }
  });
}

}  // namespace rankflow::parallel
