#include "connectivity/feature_matrix.hpp"

#include <algorithm>

#include "connectivity/tile_products.hpp"

namespace rankflow::connectivity {

Eigen::MatrixXd feature_matrix(const Loadings& loadings, const StateRows& rows) {
  constexpr std::int64_t rows_at_once = 64;
  Eigen::MatrixXd features(rows.count, loadings.partition.count());
  TileRows buffer(rows_at_once);
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile) {
    const auto neurons = loadings.partition.tile_count(tile);
    for (std::int64_t first = 0; first < rows.count; first += rows_at_once) {
      const auto some = part_of(rows, first, std::min(rows_at_once, rows.count - first), loadings);
      tile_features(loadings, tile, some, buffer.data());
      features.block(first, tile * parallel::tile_size, some.count, neurons) =
          buffer.matrix(some.count).topRows(neurons).transpose();
    }
  }
  return features;
}

}  // namespace rankflow::connectivity
