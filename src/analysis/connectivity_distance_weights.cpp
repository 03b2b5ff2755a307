#include "analysis/connectivity_distance_weights.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Dense>

#include "core/error.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Arrays = std::vector<const model::NeuronArray<double>*>;

/// [this rank's neurons, columns of all arrays]
MatrixXd side_by_side(const Arrays& arrays, std::int64_t first, std::int64_t count) {
  Index columns = 0;
  for (const auto* array : arrays) columns += array->columns();
  MatrixXd rows(count, columns);
  Index column = 0;
  for (const auto* array : arrays)
    for (int c = 0; c < array->columns(); ++c, ++column)
      for (Index i = 0; i < count; ++i) rows(i, column) = array->at(first + i, c);
  return rows;
}

/// All inner products of the columns of both networks' (m, b, n) and a column of ones, by exact sums of tiles.
MatrixXd gram_of(const model::Network<double>& a, const model::Network<double>& b, const parallel::Communicator& comm) {
  const Arrays arrays{&a.m, &a.input_weights, &a.n, &b.m, &b.input_weights, &b.n};
  const auto& partition = a.partition;
  const Index width = 2 * (a.rank + b.rank) + a.inputs + b.inputs + 1;
  parallel::ReproducibleSum sum(static_cast<std::size_t>(width * width));
  for (std::int64_t tile = 0; tile < partition.tiles(); ++tile) {
    const auto count = partition.tile_count(tile);
    MatrixXd rows(count, width);
    rows << side_by_side(arrays, tile * parallel::tile_size, count), VectorXd::Ones(count);
    const MatrixXd product = rows.transpose() * rows;
    for (Index i = 0; i < width * width; ++i) sum.add(static_cast<std::size_t>(i), product.data()[i]);
  }
  MatrixXd gram(width, width);
  sum.reduce(comm, std::span(gram.data(), static_cast<std::size_t>(gram.size())));
  return gram;
}

/// Places of one network's columns in the Gram matrix.
struct GramPlaces {
  Index m = 0, basis = 0, n = 0, rank = 0;  ///< basis: columns of (m, b), which begin at m
};

/// n projected on the span of (m, b) is (m, b) times these coefficients [basis, R].
MatrixXd projection(const MatrixXd& gram, const GramPlaces& at) {
  return gram.block(at.m, at.m, at.basis, at.basis)
      .completeOrthogonalDecomposition()
      .solve(gram.block(at.m, at.n, at.basis, at.rank));
}

/// Σ_ij J_ij J'_ij = Σ_rs (m_r · m'_s)(n_r · n'_s).
double product_of_weights(const MatrixXd& left, const MatrixXd& right) {
  return left.cwiseProduct(right).sum();
}

/// None for what does not vary.
std::optional<double> ratio_of(double covariance, double variance_a, double variance_b) {
  if (!(variance_a > 0) || !(variance_b > 0)) return std::nullopt;
  return covariance / std::sqrt(variance_a * variance_b);
}

/// Correlation over all pairs; `right_xy`: inner products of the columns of n or of its projection, `sum_x`: their
/// sums.
struct WeightMoments {
  MatrixXd left_aa, left_ab, left_bb, right_aa, right_ab, right_bb;
  VectorXd left_a, left_b, right_a, right_b;

  std::optional<double> correlation(double pairs) const {
    const double mean_a = left_a.dot(right_a) / pairs;
    const double mean_b = left_b.dot(right_b) / pairs;
    const double variance_a = product_of_weights(left_aa, right_aa) / pairs - mean_a * mean_a;
    const double variance_b = product_of_weights(left_bb, right_bb) / pairs - mean_b * mean_b;
    return ratio_of(product_of_weights(left_ab, right_ab) / pairs - mean_a * mean_b, variance_a, variance_b);
  }
};

void correlate_pairs(const model::Network<double>& a, const model::Network<double>& b,
                     const parallel::Communicator& comm, WeightCorrelations& found) {
  const MatrixXd gram = gram_of(a, b, comm);
  const GramPlaces x{.m = 0, .basis = a.rank + a.inputs, .n = a.rank + a.inputs, .rank = a.rank};
  const Index second = x.n + a.rank;
  const GramPlaces y{.m = second, .basis = b.rank + b.inputs, .n = second + b.rank + b.inputs, .rank = b.rank};
  const Index ones = gram.cols() - 1;
  const double neurons = gram(ones, ones);
  const auto block = [&](Index row, Index rows, Index column, Index columns) -> MatrixXd {
    return gram.block(row, column, rows, columns);
  };
  WeightMoments moments{block(x.m, x.rank, x.m, x.rank), block(x.m, x.rank, y.m, y.rank),
                        block(y.m, y.rank, y.m, y.rank), block(x.n, x.rank, x.n, x.rank),
                        block(x.n, x.rank, y.n, y.rank), block(y.n, y.rank, y.n, y.rank),
                        block(x.m, x.rank, ones, 1),     block(y.m, y.rank, ones, 1),
                        block(x.n, x.rank, ones, 1),     block(y.n, y.rank, ones, 1)};
  found.weights = moments.correlation(neurons * neurons);
  const MatrixXd first = projection(gram, x);
  const MatrixXd other = projection(gram, y);
  moments.right_aa = first.transpose() * block(x.m, x.basis, x.m, x.basis) * first;
  moments.right_ab = first.transpose() * block(x.m, x.basis, y.m, y.basis) * other;
  moments.right_bb = other.transpose() * block(y.m, y.basis, y.m, y.basis) * other;
  moments.right_a = first.transpose() * block(x.m, x.basis, ones, 1);
  moments.right_b = other.transpose() * block(y.m, y.basis, ones, 1);
  found.effective_weights = moments.correlation(neurons * neurons);
}

/// Effective weights of all pairs of a sample, ascending.
std::vector<double> sorted_weights(const NeuronSample& sample) {
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Index count = sample.count();
  const Eigen::Map<const Rows> loadings(sample.loadings.values.data(), count, sample.loadings.dimensions);
  const Eigen::Map<const Rows> right(sample.n.data(), count, sample.rank);
  const MatrixXd basis = loadings.leftCols(sample.rank + sample.inputs);
  const MatrixXd projected = basis * basis.completeOrthogonalDecomposition().solve(MatrixXd(right));
  const MatrixXd weights = basis.leftCols(sample.rank) * projected.transpose() / static_cast<double>(count);
  std::vector<double> sorted(weights.data(), weights.data() + weights.size());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

std::optional<double> correlation_of(const std::vector<double>& a, const std::vector<double>& b) {
  const Eigen::Map<const VectorXd> x(a.data(), static_cast<Index>(a.size()));
  const Eigen::Map<const VectorXd> y(b.data(), static_cast<Index>(b.size()));
  const VectorXd from_mean_x = x.array() - x.mean();
  const VectorXd from_mean_y = y.array() - y.mean();
  return ratio_of(from_mean_x.dot(from_mean_y), from_mean_x.squaredNorm(), from_mean_y.squaredNorm());
}

}  // namespace

WeightCorrelations correlate_weights(const model::Network<double>& a, const model::Network<double>& b,
                                     const NeuronSample& first, const NeuronSample& second,
                                     const parallel::Communicator& comm) {
  if (first.count() != second.count())
    throw InternalError("sorted weights of {} and {} neurons were to be compared", first.count(), second.count());
  WeightCorrelations found;
  if (a.neurons() == b.neurons())
    correlate_pairs(a, b, comm, found);
  else
    found.why_not =
        fmt::format("{} and {} neurons: no neuron of one is a neuron of the other", a.neurons(), b.neurons());
  found.sorted_neurons = first.count();
  found.sorted_effective_weights = correlation_of(sorted_weights(first), sorted_weights(second));
  const bool all = found.weights && found.effective_weights && found.sorted_effective_weights;
  if (!all && found.why_not.empty()) found.why_not = "all weights of one of the networks are equal";
  return found;
}

}  // namespace rankflow::analysis
