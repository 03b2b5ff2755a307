#include "parallel/draws.hpp"

#include "parallel/draws_tiles.hpp"
#include "parallel/simd_units.hpp"

namespace rankflow::parallel {
namespace {

/// Turns the words of a tile into its values.
template <class T>
using Transform = void (*)(const Words&, T*);

template <class T, Transform<T> transform>
[[gnu::noinline]] void make_tile(const TileSource& source, std::uint64_t tile, T* values) {
  alignas(64) Words words;
  source.words(tile, 0, words);
  transform(words, values);
}

template <class T, Transform<T> transform>
void fill(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<T> out) {
  require_valid(draw, first_item, out.size());
  const TileSource source(stream, draw);
  fill_tiles<items_per_tile(sizeof(T))>(
      first_item, out, [&](std::uint64_t tile, T* values) { make_tile<T, transform>(source, tile, values); });
}

}  // namespace

template <class T>
void uniform(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<T> out) {
  fill<T, units<T>>(stream, draw, first_item, out);
}

template <class T>
void normal(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<T> out) {
  fill<T, box_muller<T>>(stream, draw, first_item, out);
}

template <class T>
void exponential(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<T> out) {
  fill<T, negative_log_units<T>>(stream, draw, first_item, out);
}

template void uniform(const Stream&, Draw, std::uint64_t, std::span<float>);
template void uniform(const Stream&, Draw, std::uint64_t, std::span<double>);
template void normal(const Stream&, Draw, std::uint64_t, std::span<float>);
template void normal(const Stream&, Draw, std::uint64_t, std::span<double>);
template void exponential(const Stream&, Draw, std::uint64_t, std::span<float>);
template void exponential(const Stream&, Draw, std::uint64_t, std::span<double>);

}  // namespace rankflow::parallel
