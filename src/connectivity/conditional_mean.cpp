#include "connectivity/conditional_mean.hpp"

#include <algorithm>

#include "connectivity/tile_products.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {

void add_responses(const Loadings& loadings, const StateRows& rows, const Eigen::Ref<const Eigen::MatrixXd>& weights,
                   model::NeuronArray<double>& n) {
  constexpr std::int64_t rows_at_once = 32;
  TileRows features(rows_at_once);
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile)
    for (std::int64_t first = 0; first < rows.count; first += rows_at_once) {
      const auto some = part_of(rows, first, std::min(rows_at_once, rows.count - first), loadings);
      tile_features(loadings, tile, some, features.data());
      add_weighted_features(features.data(), weights.middleRows(first, some.count), n.tile(tile, 0));
    }
}

model::NeuronArray<double> ConditionalMean::operator()(const Loadings& loadings) const {
  if (loadings.rank != rank || loadings.inputs != inputs)
    throw InputDataError(
        "E[n | m, b, d] was found for rank {} and {} inputs; these loadings have rank {} and {} inputs", rank, inputs,
        loadings.rank, loadings.inputs);
  model::NeuronArray<double> n(loadings.partition, rank);
  add_responses(loadings, {weights.rows(), z.data(), v.data()}, weights, n);
  return n;
}

}  // namespace rankflow::connectivity
