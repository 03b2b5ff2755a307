#include <algorithm>

#include "connectivity/neuron_sums.hpp"
#include "connectivity/posterior.hpp"
#include "connectivity/tile_products.hpp"

namespace rankflow::connectivity {

/// From sum_i e_ik w_i [r, count] and sum_i w_i^2 [count].
Functional Posterior::functional(const Variances& variances, const Eigen::MatrixXd& sums,
                                 const Eigen::VectorXd& squares) const {
  const double penalty = spectrum_.penalty(variances);
  const Eigen::ArrayXd inverse = 1.0 / (spectrum_.eigenvalues.array() + penalty);
  Functional result;
  result.mean = sums.transpose() * (spectrum_.targets.array().colwise() * inverse).matrix();
  const Eigen::ArrayXd known =
      (sums.array().square().colwise() * inverse).colwise().sum().transpose() / static_cast<double>(spectrum_.neurons);
  // Rounding may leave less than nothing of what is known completely.
  result.deviation = (variances.prior * (squares.array() - known).max(0.0)).sqrt();
  result.prior_deviation = (variances.prior * squares.array()).sqrt();
  return result;
}

Functional Posterior::functionals(const Variances& variances, const model::NeuronArray<double>& w,
                                  const parallel::Communicator& comm) const {
  NeuronSums squares(loadings_.partition, w.columns(), 1);
  Eigen::MatrixXd tile_squares(w.columns(), 1);
  for (std::int64_t tile = 0; tile < loadings_.partition.tiles(); ++tile) {
    for (int k = 0; k < w.columns(); ++k)
      sum_over_lanes(w.tile(tile, k), w.tile(tile, k), tile_squares.block(k, 0, 1, 1));
    squares.add(tile_squares);
  }
  const Eigen::MatrixXd sums = neuron_sums(w, comm);
  return functional(variances, sums, squares.finish(comm));
}

Functional Posterior::drive(const Variances& variances, const StateRows& points,
                            const parallel::Communicator& comm) const {
  constexpr std::int64_t points_at_once = 256;
  const auto rows = basis_.interpolation_rows();
  const double neurons = static_cast<double>(spectrum_.neurons);
  Functional result{.mean = Eigen::MatrixXd(points.count, spectrum_.targets.cols()),
                    .deviation = Eigen::VectorXd(points.count),
                    .prior_deviation = Eigen::VectorXd(points.count)};
  TileRows features(rows.count);
  TileRows weights(points_at_once);
  Eigen::MatrixXd sums(rows.count + 1, std::min(points_at_once, points.count));
  for (std::int64_t first = 0; first < points.count; first += points_at_once) {
    const auto some = part_of(points, first, std::min(points_at_once, points.count - first), loadings_);
    NeuronSums all(loadings_.partition, rows.count + 1, some.count);
    sums.resize(rows.count + 1, some.count);
    for (std::int64_t tile = 0; tile < loadings_.partition.tiles(); ++tile) {
      tile_features(loadings_, tile, rows, features.data());
      tile_features(loadings_, tile, some, weights.data());
      sums.topRows(rows.count).noalias() = features.matrix(rows.count).transpose() * weights.matrix(some.count);
      for (std::int64_t k = 0; k < some.count; ++k)
        sum_over_lanes(weights.row(k), weights.row(k), sums.block(rows.count, k, 1, 1));
      all.add(sums);
    }
    const Eigen::MatrixXd total = all.finish(comm);
    const Eigen::MatrixXd in_modes =
        directions_.transpose() * (basis_.interpolation() * total.topRows(rows.count)) / neurons;
    const auto part = functional(variances, in_modes, total.row(rows.count).transpose() / (neurons * neurons));
    result.mean.middleRows(first, some.count) = part.mean;
    result.deviation.segment(first, some.count) = part.deviation;
    result.prior_deviation.segment(first, some.count) = part.prior_deviation;
  }
  return result;
}

}  // namespace rankflow::connectivity
