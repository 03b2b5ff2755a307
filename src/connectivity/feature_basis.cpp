#include "connectivity/feature_basis.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <utility>

#include <Eigen/QR>
#include <Eigen/SVD>

#include "connectivity/feature_matrix.hpp"
#include "core/error.hpp"
#include "parallel/draws.hpp"

namespace rankflow::connectivity {
namespace {

constexpr std::int64_t measured_neurons = 128;
constexpr int rounds_of_rows = 2;

void check_basis_options(const FeatureBasisOptions& options) {
  if (!(options.tolerance > 0.0 && options.tolerance < 1.0))
    throw ConfigurationError("the tolerance of the feature basis must lie in (0, 1), found {}", options.tolerance);
  if (options.probe_neurons < 1 || options.candidate_rows < 1 || options.maximum_functions < 1)
    throw ConfigurationError(
        "the feature basis needs at least 1 probe neuron, candidate row and function, found {}, {} and {}",
        options.probe_neurons, options.candidate_rows, options.maximum_functions);
}

/// `count` of `all` numbers at even distances; all of them when they are fewer. The offset (0 to 1) says where in its
/// share each lies.
std::vector<std::int64_t> evenly_spaced(std::int64_t count, std::int64_t all, double offset) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(std::min(count, all)));
  const double share = static_cast<double>(all) / static_cast<double>(places.size());
  for (std::size_t k = 0; k < places.size(); ++k)
    places[k] = static_cast<std::int64_t>(share * (static_cast<double>(k) + offset));
  return places;
}

VisitedStates rows_at(const VisitedStates& states, const std::vector<std::int64_t>& places) {
  VisitedStates chosen{.rows = static_cast<std::int64_t>(places.size()), .rank = states.rank, .inputs = states.inputs};
  for (const auto place : places) {
    const auto row = rows_of(states, place, 1);
    chosen.z.insert(chosen.z.end(), row.z, row.z + states.rank);
    chosen.v.insert(chosen.v.end(), row.v, row.v + states.inputs);
  }
  return chosen;
}

/// `columns` random superpositions of the probes' features [T, columns]; the features themselves when these are as
/// many.
Eigen::MatrixXd superpositions(const VisitedStates& states, const Loadings& probes, std::int64_t columns) {
  constexpr std::int64_t rows_at_once = 512;
  if (columns == probes.neurons()) return feature_matrix(probes, rows_of(states));
  const parallel::Stream stream(0, parallel::Purpose::connectivity_probe);
  Eigen::MatrixXd weights(probes.neurons(), columns);
  for (Eigen::Index k = 0; k < columns; ++k)
    parallel::normal(stream, {.step = static_cast<std::uint32_t>(k)}, 0,
                     std::span<double>(weights.col(k).data(), static_cast<std::size_t>(weights.rows())));
  Eigen::MatrixXd mixed(states.rows, columns);
  for (std::int64_t first = 0; first < states.rows; first += rows_at_once) {
    const auto count = std::min(rows_at_once, states.rows - first);
    mixed.middleRows(first, count).noalias() = feature_matrix(probes, rows_of(states, first, count)) * weights;
  }
  return mixed;
}

/// Half of the candidates are evenly spaced rows, half those where functions are largest: a function that lives on few
/// rows must be seen there. Ascending.
std::vector<std::int64_t> candidates_of(const Eigen::MatrixXd& functions, std::int64_t count) {
  if (count >= functions.rows()) return evenly_spaced(functions.rows(), functions.rows(), 0.0);
  const auto even = evenly_spaced(count / 2, functions.rows(), 0.5);
  std::set<std::int64_t> chosen(even.begin(), even.end());
  const Eigen::VectorXd size = functions.rowwise().squaredNorm();
  auto order = evenly_spaced(functions.rows(), functions.rows(), 0.0);
  std::ranges::stable_sort(order, [&](auto a, auto b) { return size[a] > size[b]; });
  chosen.insert(order.begin(), order.begin() + count - count / 2);
  return {chosen.begin(), chosen.end()};
}

}  // namespace

FeatureBasis::FeatureBasis(const VisitedStates& states, const Loadings& loadings, const FeatureBasisOptions& options,
                           const parallel::Communicator& comm)
    : candidate_rows_(options.candidate_rows), maximum_(options.maximum_functions) {
  check_basis_options(options);
  const auto neurons = loadings.neurons();
  const auto measured = gathered(loadings, evenly_spaced(measured_neurons, neurons, 0.5), comm);
  auto probes = options.probe_neurons;
  // Interpolation and neurons that are no probes add to the error of what is cut off.
  double cutoff = options.tolerance / 10;
  while (true) {
    choose_functions(states, gathered(loadings, evenly_spaced(probes, neurons, 0.0), comm), cutoff,
                     options.maximum_functions);
    choose_rows(states, options.candidate_rows);
    error_ = measure(states, measured);
    const bool all_used = probes >= neurons && cutoff < options.tolerance / 100;
    if (error_ <= options.tolerance || all_used || exhausted_) break;
    probes *= 2;
    cutoff /= 4;
  }
  project_targets(states);
}

/// The principal superpositions up to a relative root mean square of `cutoff`.
void FeatureBasis::choose_functions(const VisitedStates& states, const Loadings& probes, double cutoff,
                                    std::int64_t maximum) {
  constexpr std::int64_t first_columns = 128;
  const auto limit = std::min({probes.neurons(), states.rows, maximum});
  for (auto columns = std::min(first_columns, limit);; columns = std::min(2 * columns, limit)) {
    const Eigen::HouseholderQR<Eigen::MatrixXd> factors(superpositions(states, probes, columns));
    const Eigen::MatrixXd triangle = factors.matrixQR().topRows(columns).triangularView<Eigen::Upper>();
    const Eigen::BDCSVD<Eigen::MatrixXd> parts(triangle, Eigen::ComputeFullU);
    const Eigen::VectorXd squares = parts.singularValues().array().square();
    if (!(squares.sum() > 0.0))
      throw InputDataError(
          "none of {} probed neurons responds to any of {} visited rows: all their loadings m and input weights b are "
          "0",
          probes.neurons(), states.rows);
    const double least = cutoff * cutoff * squares.sum();
    std::int64_t kept = columns;
    for (double tail = squares[kept - 1]; kept > 1 && tail <= least; tail += squares[kept - 1]) --kept;
    // The last of the superpositions are not yet those of the features.
    if (columns < limit && 8 * kept > 7 * columns) continue;
    exhausted_ = kept == maximum;
    values_ = Eigen::MatrixXd::Zero(states.rows, kept);
    values_.topRows(columns) = parts.matrixU().leftCols(kept) * std::sqrt(static_cast<double>(states.rows));
    values_.applyOnTheLeft(factors.householderQ());
    return;
  }
}

void FeatureBasis::choose_rows(const VisitedStates& states, std::int64_t candidates) {
  auto places = candidates_of(values_, std::max(candidates, 4 * functions()));
  std::vector<std::int64_t> chosen;
  // Each round takes as many rows as there are functions from those left, the ones that tell functions apart best.
  for (int round = 0; round < rounds_of_rows && !places.empty(); ++round) {
    Eigen::MatrixXd columns(functions(), static_cast<Eigen::Index>(places.size()));
    for (Eigen::Index k = 0; k < columns.cols(); ++k)
      columns.col(k) = values_.row(places[static_cast<std::size_t>(k)]).transpose();
    const auto order = columns.colPivHouseholderQr().colsPermutation().indices();
    const auto count = static_cast<std::size_t>(std::min<Eigen::Index>(functions(), columns.cols()));
    std::vector<std::int64_t> rest;
    for (std::size_t k = 0; k < places.size(); ++k)
      (k < count ? chosen : rest).push_back(places[static_cast<std::size_t>(order[static_cast<Eigen::Index>(k)])]);
    std::ranges::sort(rest);
    places = std::move(rest);
  }
  std::ranges::sort(chosen);
  const auto rows = rows_at(states, chosen);
  chosen_rows_ = std::move(chosen);
  z_ = rows.z;
  v_ = rows.v;
  const auto count = static_cast<Eigen::Index>(chosen_rows_.size());
  Eigen::MatrixXd at_rows(count, functions());
  for (Eigen::Index k = 0; k < count; ++k) at_rows.row(k) = values_.row(chosen_rows_[static_cast<std::size_t>(k)]);
  interpolation_ = at_rows.colPivHouseholderQr().solve(Eigen::MatrixXd::Identity(count, count));
}

double FeatureBasis::measure(const VisitedStates& states, const Loadings& neurons) const {
  const Eigen::MatrixXd features = feature_matrix(neurons, rows_of(states));
  const Eigen::MatrixXd coefficients = interpolation_ * feature_matrix(neurons, interpolation_rows());
  const double size = features.norm();
  return size > 0.0 ? (features - values_ * coefficients).norm() / size : 0.0;
}

void FeatureBasis::project_targets(const VisitedStates& states) {
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Rows> y(states.y.data(), states.rows, states.rank);
  const double rows = static_cast<double>(states.rows);
  targets_ = values_.transpose() * y / rows;
  unexplained_ = (y - values_ * targets_).squaredNorm() / rows;
  target_square_ = y.squaredNorm() / rows;
}

}  // namespace rankflow::connectivity
