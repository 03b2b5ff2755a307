#include <cmath>

#include "parallel/draws.hpp"
#include "parallel/draws_rejection.hpp"

namespace rankflow::parallel {
namespace {

/// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000), in the names
/// of the paper. The method needs a shape ≥ 1; smaller ones are boosted: G(a) = G(a+1) U^(1/a).
struct GammaSampler {
  explicit GammaSampler(double a)
      : boosted(a < 1.0), inverse_shape(1.0 / a), d((boosted ? a + 1.0 : a) - 1.0 / 3.0), c(1.0 / std::sqrt(9.0 * d)) {}

  /// Sets `value` from a standard normal x and a uniform u; false (at most 1 time in 20) if they are rejected.
  bool attempt(double x, double u, double& value) const {
    const double root = 1.0 + c * x;
    if (root <= 0.0) return false;
    const double v = root * root * root;
    value = d * v;
    const double x2 = x * x;
    if (u < 1.0 - 0.0331 * x2 * x2) return true;
    return std::log(u) < 0.5 * x2 + d * (1.0 - v + std::log(v));
  }

  bool boosted;
  double inverse_shape;
  double d;
  double c;
};

/// Round 0 holds the numbers of the boost, attempt n those of rounds 1 + 2n and 2 + 2n.
[[gnu::noinline]] void gamma_tile(const TileSource& source, const GammaSampler& sampler, std::uint64_t tile,
                                  TileValues& values) {
  TileValues normals;
  TileValues uniforms;
  Pending pending;
  pending.add_all();
  for (std::uint32_t round = 1; pending.any(); round += 2) {
    round_normals(source, tile, round, normals);
    round_uniforms(source, tile, round + 1, uniforms);
    pending.try_each([&](std::size_t item) { return sampler.attempt(normals[item], uniforms[item], values[item]); });
  }
  if (!sampler.boosted) return;
  round_uniforms(source, tile, 0, uniforms);
  for (std::size_t item = 0; item < values.size(); ++item) {
    values[item] *= std::pow(uniforms[item], sampler.inverse_shape);
  }
}

}  // namespace

template <class T>
void gamma(const Stream& stream, Draw draw, std::uint64_t first_item, T shape, std::span<T> out) {
  require_valid(draw, first_item, out.size());
  if (!(shape > 0) || !std::isfinite(shape)) {
    throw NumericalError("gamma random numbers: the shape is {}; it has to be positive and finite", shape);
  }
  const GammaSampler sampler(static_cast<double>(shape));
  const TileSource source(stream, draw);
  fill_tiles<tile_words>(first_item, out, [&](std::uint64_t tile, T* values) {
    TileValues doubles;
    gamma_tile(source, sampler, tile, doubles);
    for (std::size_t item = 0; item < doubles.size(); ++item) values[item] = static_cast<T>(doubles[item]);
  });
}

template void gamma(const Stream&, Draw, std::uint64_t, float, std::span<float>);
template void gamma(const Stream&, Draw, std::uint64_t, double, std::span<double>);

}  // namespace rankflow::parallel
