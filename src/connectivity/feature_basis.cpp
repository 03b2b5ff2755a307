#include "connectivity/feature_basis.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <Eigen/QR>

#include "connectivity/feature_matrix.hpp"
#include "connectivity/pivoted_columns.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

constexpr std::int64_t measured_neurons = 64;
constexpr std::int64_t rows_per_function = 2;

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

}  // namespace

FeatureBasis::FeatureBasis(const VisitedStates& states, const Loadings& loadings, const FeatureBasisOptions& options,
                           const parallel::Communicator& comm) {
  check_basis_options(options);
  const auto neurons = loadings.neurons();
  const auto measured = gathered(loadings, evenly_spaced(measured_neurons, neurons, 0.5), comm);
  auto probes = options.probe_neurons;
  auto candidates = options.candidate_rows;
  // Interpolation and unseen rows add to the error of the choice.
  double goal = options.tolerance / 4;
  while (true) {
    choose(states, gathered(loadings, evenly_spaced(probes, neurons, 0.0), comm), candidates, goal,
           options.maximum_functions);
    error_ = measure(states, measured);
    const bool all_used = probes >= neurons && candidates >= states.rows && goal < options.tolerance / 100;
    if (error_ <= options.tolerance || all_used || exhausted_) break;
    probes *= 2;
    candidates *= 2;
    goal /= 4;
  }
  project_targets(states);
}

void FeatureBasis::choose(const VisitedStates& states, const Loadings& probes, std::int64_t candidates,
                          double tolerance, std::int64_t maximum_functions) {
  const auto some = rows_at(states, evenly_spaced(candidates, states.rows, 0.0));
  Eigen::MatrixXd features = feature_matrix(probes, rows_of(some));
  const double stop = features.squaredNorm() * tolerance * tolerance;
  auto functions = pivoted_columns(std::move(features), stop, maximum_functions);
  exhausted_ = static_cast<std::int64_t>(functions.size()) == maximum_functions;
  if (functions.empty())
    throw InputDataError(
        "none of {} probed neurons responds to any of {} visited rows: all their loadings m and input weights b are 0",
        probes.neurons(), some.rows);
  std::ranges::sort(functions);
  const auto chosen = gathered(probes, functions, parallel::Communicator());
  const Eigen::HouseholderQR<Eigen::MatrixXd> factors(feature_matrix(chosen, rows_of(states)));
  const auto count = std::min<Eigen::Index>(states.rows, static_cast<Eigen::Index>(functions.size()));
  values_ = factors.householderQ() * Eigen::MatrixXd::Identity(states.rows, count);
  values_ *= std::sqrt(static_cast<double>(states.rows));
  choose_rows(states, candidates);
}

void FeatureBasis::choose_rows(const VisitedStates& states, std::int64_t candidates) {
  auto places = evenly_spaced(candidates, states.rows, 0.0);
  std::vector<std::int64_t> chosen;
  // Each round takes as many rows as there are functions from those left, the ones that tell functions apart best.
  for (std::int64_t round = 0; round < rows_per_function && !places.empty(); ++round) {
    Eigen::MatrixXd columns(functions(), static_cast<Eigen::Index>(places.size()));
    for (Eigen::Index k = 0; k < columns.cols(); ++k)
      columns.col(k) = values_.row(places[static_cast<std::size_t>(k)]).transpose();
    const auto picked = pivoted_columns(std::move(columns), 0.0, functions());
    const std::set<std::int64_t> taken(picked.begin(), picked.end());
    std::vector<std::int64_t> rest;
    for (std::size_t k = 0; k < places.size(); ++k)
      (taken.contains(static_cast<std::int64_t>(k)) ? chosen : rest).push_back(places[k]);
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
