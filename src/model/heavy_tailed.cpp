#include "model/heavy_tailed.hpp"

#include <array>
#include <cmath>

#include "core/error.hpp"
#include "parallel/draws.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::model {
namespace {}  // namespace

HeavyTailedLoadings::HeavyTailedLoadings(const config::HeavyTailedOptions& options, std::uint64_t seed)
    : options_(options), seed_(seed) {
  const auto size = options_.overlap.size();
  for (std::size_t r = 0; r < size; ++r) {
    if (options_.overlap[r].size() != size)
      throw ConfigurationError(
          "network.heavy_tailed.overlap: row {} has {} values, the matrix has {} rows; it is R x R", r,
          options_.overlap[r].size(), size);
    for (std::size_t s = 0; s < size; ++s)
      if (!std::isfinite(options_.overlap[r][s]))
        throw ConfigurationError("network.heavy_tailed.overlap: entry [{}][{}] is {}; give finite numbers", r, s,
                                 options_.overlap[r][s]);
  }
}

void HeavyTailedLoadings::draw_scale(std::int64_t first, int part, TileColumn scale) const {
  if (options_.distribution != config::HeavyTail::student_t) return;
  const double freedom = options_.degrees_of_freedom;
  parallel::gamma<double>(parallel::Stream(seed_, parallel::Purpose::connectivity_scale),
                          {.step = static_cast<std::uint32_t>(part)}, static_cast<std::uint64_t>(first), freedom / 2,
                          scale);
  for (double& value : scale) value = std::sqrt((freedom - 2) / (2 * value));
}

void HeavyTailedLoadings::draw(std::int64_t first, int part, int entry, std::span<const double> scale,
                               TileColumn out) const {
  const auto step = static_cast<std::uint32_t>(part * rank() + entry);
  parallel::normal<double>(parallel::Stream(seed_, parallel::Purpose::connectivity), {.step = step},
                           static_cast<std::uint64_t>(first), out);
  if (options_.distribution == config::HeavyTail::student_t) {
    for (std::size_t i = 0; i < parallel::tile_length; ++i) out[i] *= scale[i];
    return;
  }
  const double s = options_.log_std;
  const double deviation = std::sqrt(std::expm1(s * s));
  for (double& value : out) value = std::expm1(s * value - s * s / 2) / deviation;
}

void HeavyTailedLoadings::fill(std::int64_t first, LoadingTile& tile) const {
  std::array<double, parallel::tile_length> scale;
  draw_scale(first, 0, scale);
  for (int r = 0; r < rank(); ++r) draw(first, 0, r, scale, tile.m(r));
  draw_scale(first, 1, scale);
  for (int r = 0; r < rank(); ++r) {
    const auto n = tile.n(r);
    draw(first, 1, r, scale, n);
    for (double& value : n) value *= options_.residual_std;
    for (int s = 0; s < rank(); ++s) {
      const double overlap = options_.overlap[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)];
      const auto m = tile.m(s);
      for (std::size_t i = 0; i < parallel::tile_length; ++i) n[i] += overlap * m[i];
    }
  }
}

}  // namespace rankflow::model
