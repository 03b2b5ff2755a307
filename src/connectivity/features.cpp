#include "connectivity/features.hpp"

#include <algorithm>

#include "model/activation.hpp"
#include "model/fused_product.hpp"

namespace rankflow::connectivity {
namespace {

using parallel::tile_size;
using Lanes = xsimd::batch<double>;

/// Columns of one tile.
struct TileColumns {
  const double* m;
  const double* b;
  const double* bias;
};

template <class Phi>
void features_of_row(const TileColumns& tile, int rank, int inputs, const double* z, const double* v, double* out) {
  for (std::int64_t lane = 0; lane < tile_size; lane += static_cast<std::int64_t>(Lanes::size)) {
    Lanes x(0.0);
    for (int r = 0; r < rank; ++r) x = model::fused(Lanes::load_aligned(tile.m + r * tile_size + lane), Lanes(z[r]), x);
    for (int k = 0; k < inputs; ++k)
      x = model::fused(Lanes::load_aligned(tile.b + k * tile_size + lane), Lanes(v[k]), x);
    const Lanes d = tile.bias == nullptr ? Lanes(0.0) : Lanes::load_aligned(tile.bias + lane);
    Phi::rate(x, d).store_aligned(out + lane);
  }
}

}  // namespace

StateRows rows_of(const VisitedStates& states, std::int64_t first, std::int64_t count) {
  return {count, states.z.data() + first * states.rank, states.v.data() + first * states.inputs};
}

StateRows rows_of(const VisitedStates& states) {
  return rows_of(states, 0, states.rows);
}

StateRows part_of(const StateRows& rows, std::int64_t first, std::int64_t count, const Loadings& loadings) {
  return {count, rows.z + first * loadings.rank, rows.v + first * loadings.inputs};
}

void tile_features(const Loadings& loadings, std::int64_t tile, const StateRows& rows, double* out) {
  const TileColumns columns{.m = loadings.m.tile(tile, 0),
                            .b = loadings.inputs > 0 ? loadings.b.tile(tile, 0) : nullptr,
                            .bias = loadings.bias.columns() > 0 ? loadings.bias.tile(tile, 0) : nullptr};
  const auto present = loadings.partition.tile_count(tile);
  model::with_activation(loadings.activation, [&](auto phi) {
    for (std::int64_t row = 0; row < rows.count; ++row) {
      double* const features = out + row * tile_size;
      features_of_row<decltype(phi)>(columns, loadings.rank, loadings.inputs, rows.z + row * loadings.rank,
                                     rows.v + row * loadings.inputs, features);
      std::fill(features + present, features + tile_size, 0.0);
    }
  });
}

}  // namespace rankflow::connectivity
