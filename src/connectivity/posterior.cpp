#include "connectivity/posterior.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "connectivity/neuron_sums.hpp"
#include "connectivity/tile_products.hpp"

namespace rankflow::connectivity {

Posterior::Posterior(const FeatureBasis& basis, const Loadings& loadings, const parallel::Communicator& comm)
    : basis_(basis), loadings_(loadings) {
  spectrum_ = spectrum_of(feature_gram(basis, loadings, comm), basis.targets(), basis.unexplained(), basis.rows(),
                          loadings.neurons(), directions_);
}

Eigen::MatrixXd Posterior::coordinates(std::int64_t tile) const {
  const auto rows = basis_.interpolation_rows();
  TileRows features(rows.count);
  tile_features(loadings_, tile, rows, features.data());
  return features.matrix(rows.count) *
         interpolation_weights(Eigen::MatrixXd::Identity(basis_.functions(), basis_.functions()));
}

/// Weights of features at the interpolation rows [S, columns] for weights of the coordinates e [r, columns].
Eigen::MatrixXd Posterior::interpolation_weights(const Eigen::MatrixXd& weights) const {
  return basis_.interpolation().transpose() * (directions_ * weights);
}

/// n_i += sum_k e_ik weights_k.
void Posterior::add_response(const Eigen::MatrixXd& weights, model::NeuronArray<double>& n) const {
  add_responses(loadings_, basis_.interpolation_rows(), interpolation_weights(weights), n);
}

/// sum_i e_ik values_i [r, columns].
Eigen::MatrixXd Posterior::neuron_sums(const model::NeuronArray<double>& values,
                                       const parallel::Communicator& comm) const {
  const auto rows = basis_.interpolation_rows();
  NeuronSums sums(loadings_.partition, rows.count, values.columns());
  TileRows features(rows.count);
  Eigen::MatrixXd tile_sums(rows.count, values.columns());
  for (std::int64_t tile = 0; tile < loadings_.partition.tiles(); ++tile) {
    tile_features(loadings_, tile, rows, features.data());
    sum_over_lanes(features.data(), values.tile(tile, 0), tile_sums);
    sums.add(tile_sums);
  }
  return directions_.transpose() * (basis_.interpolation() * sums.finish(comm));
}

ConditionalMean Posterior::mean(double penalty) const {
  const auto rows = basis_.interpolation_rows();
  const Eigen::MatrixXd weights = spectrum_.targets.array().colwise() / (spectrum_.eigenvalues.array() + penalty);
  return {.rank = loadings_.rank,
          .inputs = loadings_.inputs,
          .z = {rows.z, rows.z + rows.count * loadings_.rank},
          .v = {rows.v, rows.v + rows.count * loadings_.inputs},
          .weights = interpolation_weights(weights)};
}

Projection Posterior::project(const model::NeuronArray<double>& n, double penalty,
                              const parallel::Communicator& comm) const {
  // Directions that rounding alone may have excited belong to the free part.
  const double floor = std::numeric_limits<double>::epsilon() * spectrum_.eigenvalues[0] *
                       static_cast<double>(spectrum_.eigenvalues.size());
  const Eigen::ArrayXd inverse =
      (spectrum_.eigenvalues.array() > floor).select(1.0 / (spectrum_.eigenvalues.array() + penalty), 0.0);
  Eigen::MatrixXd weights = neuron_sums(n, comm) / static_cast<double>(spectrum_.neurons);
  weights.array().colwise() *= inverse;
  Projection parts;
  parts.required = model::NeuronArray<double>(loadings_.partition, n.columns());
  add_response(weights, parts.required);
  parts.free = model::NeuronArray<double>(loadings_.partition, n.columns());
  std::ranges::transform(n.values(), parts.required.values(), parts.free.values().begin(), std::minus<>());
  NeuronSums squares(loadings_.partition, 2, n.columns());
  Eigen::MatrixXd tile_squares(2, n.columns());
  for (std::int64_t tile = 0; tile < loadings_.partition.tiles(); ++tile) {
    for (int r = 0; r < n.columns(); ++r) {
      sum_over_lanes(parts.required.tile(tile, r), parts.required.tile(tile, r), tile_squares.block(0, r, 1, 1));
      sum_over_lanes(n.tile(tile, r), n.tile(tile, r), tile_squares.block(1, r, 1, 1));
    }
    squares.add(tile_squares);
  }
  const Eigen::MatrixXd totals = squares.finish(comm);
  parts.required_share = (totals.row(1).array() > 0.0).select(totals.row(0).array() / totals.row(1).array(), 0.0);
  return parts;
}

}  // namespace rankflow::connectivity
