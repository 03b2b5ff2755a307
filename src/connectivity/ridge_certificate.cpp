#include <algorithm>
#include <cmath>

#include "connectivity/neuron_sums.hpp"
#include "connectivity/ridge_forms.hpp"
#include "connectivity/some_rows.hpp"
#include "connectivity/tile_products.hpp"

namespace rankflow::connectivity {
namespace {

constexpr std::int64_t rows_at_once = 32;

/// Squares of n [1, R] over one tile.
Eigen::MatrixXd tile_squares(const model::NeuronArray<double>& n, std::int64_t tile) {
  Eigen::MatrixXd squares(1, n.columns());
  for (int r = 0; r < n.columns(); ++r) sum_over_lanes(n.tile(tile, r), n.tile(tile, r), squares.col(r));
  return squares;
}

double norm_over_neurons(const Loadings& loadings, const model::NeuronArray<double>& n,
                         const parallel::Communicator& comm) {
  NeuronSums squares(loadings.partition, 1, n.columns());
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile) squares.add(tile_squares(n, tile));
  return std::sqrt(squares.finish(comm).sum());
}

/// Sums over neurons, at some rows, of (phi - Q c) n, (phi - Q c)^2 and phi^2 [rows, R + 2].
Eigen::MatrixXd reduction_errors(const FeatureBasis& basis, const Loadings& loadings,
                                 const model::NeuronArray<double>& n, const SomeRows& some,
                                 const parallel::Communicator& comm) {
  const auto pivots = basis.interpolation_rows();
  const auto rows = rows_of(some.states);
  const Eigen::Index rank = loadings.rank;
  NeuronSums sums(loadings.partition, rows.count, rank + 2);
  TileRows at_pivots(pivots.count);
  TileRows features(rows.count);
  TileRows errors(rows.count);
  Eigen::MatrixXd tile_sums(rows.count, rank + 2);
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile) {
    tile_features(loadings, tile, pivots, at_pivots.data());
    tile_features(loadings, tile, rows, features.data());
    errors.matrix(rows.count) = features.matrix(rows.count);
    errors.matrix(rows.count).noalias() -= at_pivots.matrix(pivots.count) * some.reduction;
    sum_over_lanes(errors.data(), n.tile(tile, 0), tile_sums.leftCols(rank));
    for (std::int64_t k = 0; k < rows.count; ++k) {
      sum_over_lanes(errors.row(k), errors.row(k), tile_sums.block(k, rank, 1, 1));
      sum_over_lanes(features.row(k), features.row(k), tile_sums.block(k, rank + 1, 1, 1));
    }
    sums.add(tile_sums);
  }
  return sums.finish(comm);
}

}  // namespace

Eigen::MatrixXd drive_of(const Loadings& loadings, const model::NeuronArray<double>& n, const StateRows& rows,
                         const parallel::Communicator& comm) {
  NeuronSums sums(loadings.partition, rows.count, n.columns());
  TileRows features(rows_at_once);
  Eigen::MatrixXd tile_sums(rows.count, n.columns());
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile) {
    for (std::int64_t first = 0; first < rows.count; first += rows_at_once) {
      const auto some = part_of(rows, first, std::min(rows_at_once, rows.count - first), loadings);
      tile_features(loadings, tile, some, features.data());
      sum_over_lanes(features.data(), n.tile(tile, 0), tile_sums.middleRows(first, some.count));
    }
    sums.add(tile_sums);
  }
  return sums.finish(comm) / static_cast<double>(loadings.neurons());
}

void certify(const VisitedStates& states, const Loadings& loadings, const parallel::Communicator& comm,
             RidgeSolution& solution) {
  const auto y = targets_of(states);
  const auto rows = rows_of(states);
  const Eigen::MatrixXd left = y - drive_of(loadings, solution.n, rows, comm);
  Eigen::MatrixXd both(states.rows, 2 * states.rank);
  both << left, y;
  model::NeuronArray<double> products(loadings.partition, 2 * states.rank);
  add_responses(loadings, rows, both, products);
  model::NeuronArray<double> residual(loadings.partition, states.rank);
  model::NeuronArray<double> right(loadings.partition, states.rank);
  const double scale = solution.penalty * static_cast<double>(states.rows);
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile)
    for (int r = 0; r < states.rank; ++r) {
      const double* const n = solution.n.tile(tile, r);
      const double* const product = products.tile(tile, r);
      std::transform(product, product + parallel::tile_size, n, residual.tile(tile, r),
                     [scale](double sum, double value) { return sum - scale * value; });
      std::copy_n(products.tile(tile, states.rank + r), parallel::tile_size, right.tile(tile, r));
    }
  const double size = norm_over_neurons(loadings, right, comm);
  solution.certificate = {.residual = size > 0.0 ? norm_over_neurons(loadings, residual, comm) / size : 0.0,
                          .sampled = false};
  solution.relative_misfit = left.norm() / y.norm();
}

void certify_reduced(const VisitedStates& states, const FeatureBasis& basis, const Loadings& loadings,
                     const Eigen::MatrixXd& gram, std::int64_t rows, const parallel::Communicator& comm,
                     RidgeSolution& solution) {
  const auto some = some_rows(states, basis, rows);
  const Eigen::MatrixXd sums = reduction_errors(basis, loadings, solution.n, some, comm);
  const double neurons = static_cast<double>(loadings.neurons());
  const double count = static_cast<double>(rows);
  // Residual of neuron i / T = mean over rows of (phi_i - Q c_i) (y - Q f) + phi_i (Q f - F), f and F the drive as the
  // basis and as all neurons give it; mean squares bound both parts (Cauchy-Schwarz).
  const double drive_error = std::sqrt(sums.leftCols(states.rank).squaredNorm() / count) / neurons;
  const double feature_error = std::sqrt(sums.col(states.rank).sum() / (count * neurons));
  const double feature_size = std::sqrt(sums.col(states.rank + 1).sum() / (count * neurons));
  const double misfit = solution.relative_misfit * std::sqrt(basis.target_square());
  const double right = std::sqrt(basis.targets().cwiseProduct(gram * basis.targets()).sum());
  const double bound = feature_error * misfit + feature_size * drive_error;
  solution.certificate = {.residual = right > 0.0 ? bound / right : 0.0, .sampled = true};
}

}  // namespace rankflow::connectivity
