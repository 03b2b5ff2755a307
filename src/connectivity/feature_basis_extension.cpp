#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <Eigen/QR>
#include <Eigen/SVD>

#include "connectivity/feature_basis.hpp"
#include "connectivity/feature_matrix.hpp"
#include "connectivity/some_rows.hpp"
#include "connectivity/tile_products.hpp"

namespace rankflow::connectivity {
namespace {

constexpr std::int64_t judged_rows = 128;
/// Beyond, a new basis is as cheap.
constexpr std::int64_t most_neurons_added = 64;

/// Sums of squares over the judged rows.
struct NeuronErrors {
  std::vector<double> error;  ///< of what the basis leaves of each neuron's features [N]
  double size = 0.0;          ///< of all features
};

std::vector<double> gather_numbers(const std::vector<double>& mine, const parallel::Communicator& comm) {
  const auto counts = comm.all_gather(static_cast<std::int64_t>(mine.size()));
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  comm.all_gather(std::span<const double>(mine), std::span(all), counts);
  return all;
}

NeuronErrors errors_of_neurons(const FeatureBasis& basis, const SomeRows& some, const Loadings& loadings,
                               const parallel::Communicator& comm) {
  const auto chosen = basis.interpolation_rows();
  const auto rows = rows_of(some.states);
  TileRows at_chosen(chosen.count);
  TileRows at_rows(rows.count);
  std::vector<double> errors, sizes;
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile) {
    tile_features(loadings, tile, chosen, at_chosen.data());
    tile_features(loadings, tile, rows, at_rows.data());
    const auto features = at_rows.matrix(rows.count);
    const Eigen::VectorXd left = (features - at_chosen.matrix(chosen.count) * some.reduction).rowwise().squaredNorm();
    const Eigen::VectorXd whole = features.rowwise().squaredNorm();
    const auto present = loadings.partition.tile_count(tile);
    errors.insert(errors.end(), left.data(), left.data() + present);
    sizes.insert(sizes.end(), whole.data(), whole.data() + present);
  }
  const auto all = gather_numbers(sizes, comm);
  return {.error = gather_numbers(errors, comm), .size = std::accumulate(all.begin(), all.end(), 0.0)};
}

/// The worst neurons, until the others' errors add to `rest` or less. Ascending.
std::vector<std::int64_t> worst_neurons(const std::vector<double>& error, double rest, std::int64_t most) {
  std::vector<std::int64_t> order(error.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(
      order, [&](auto a, auto b) { return error[static_cast<std::size_t>(a)] > error[static_cast<std::size_t>(b)]; });
  double left = std::accumulate(error.begin(), error.end(), 0.0);
  std::size_t count = 0;
  while (count < order.size() && std::cmp_less(count, most) && left > rest)
    left -= error[static_cast<std::size_t>(order[count++])];
  order.resize(count);
  std::ranges::sort(order);
  return order;
}

}  // namespace

std::int64_t FeatureBasis::extend(const VisitedStates& states, const Loadings& loadings, double tolerance,
                                  const parallel::Communicator& comm) {
  const auto count = std::min(judged_rows, states.rows);
  const auto errors = errors_of_neurons(*this, some_rows(states, *this, count), loadings, comm);
  const auto room = std::min(maximum_, states.rows) - functions();
  const auto worst = worst_neurons(errors.error, tolerance * tolerance / 16 * errors.size,
                                   std::min({most_neurons_added, room, states.rows}));
  if (worst.empty()) return 0;
  const double whole = errors.size * static_cast<double>(states.rows) / static_cast<double>(count);
  const auto added = add_functions(feature_matrix(gathered(loadings, worst, comm), rows_of(states)),
                                   tolerance * tolerance / 64 * whole);
  exhausted_ = functions() == maximum_;
  choose_rows(states, candidate_rows_);
  project_targets(states);
  return added;
}

/// Principal directions of what the functions leave of these columns, until what is left is at most `least` (squared).
std::int64_t FeatureBasis::add_functions(Eigen::MatrixXd columns, double least) {
  const double rows = static_cast<double>(values_.rows());
  // Once more, since the first pass leaves rounding of the whole in a small rest.
  for (int pass = 0; pass < 2; ++pass) {
    const Eigen::MatrixXd inside = values_.transpose() * columns / rows;
    columns.noalias() -= values_ * inside;
  }
  const auto count = columns.cols();
  const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> factors(columns);  // in place
  const Eigen::MatrixXd triangle = factors.matrixQR().topRows(count).triangularView<Eigen::Upper>();
  const Eigen::BDCSVD<Eigen::MatrixXd> parts(triangle, Eigen::ComputeFullU);
  const Eigen::VectorXd squares = parts.singularValues().array().square();
  if (squares.sum() <= least) return 0;
  Eigen::Index kept = count;
  for (double tail = squares[kept - 1]; kept > 1 && tail <= least; tail += squares[kept - 1]) --kept;
  Eigen::MatrixXd fresh = Eigen::MatrixXd::Zero(values_.rows(), kept);
  fresh.topRows(count) = parts.matrixU().leftCols(kept) * std::sqrt(rows);
  fresh.applyOnTheLeft(factors.householderQ());
  values_.conservativeResize(Eigen::NoChange, values_.cols() + kept);
  values_.rightCols(kept) = fresh;
  return kept;
}

}  // namespace rankflow::connectivity
