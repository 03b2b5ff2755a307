#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "connectivity/feature_matrix.hpp"
#include "connectivity/neuron_sums.hpp"
#include "connectivity/ridge_forms.hpp"
#include "connectivity/spectrum.hpp"
#include "connectivity/tile_products.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

void check_size(const char* form, const char* what, std::int64_t equations) {
  if (equations > most_direct_equations)
    throw ConfigurationError(
        "form \"{}\" of the ridge takes a dense matrix of {} {}: {:.3g} GB on each rank; at most {} are allowed, "
        "choose "
        "\"reduced\", \"iterative\" or \"automatic\"",
        form, equations, what, 8e-9 * static_cast<double>(equations) * static_cast<double>(equations),
        most_direct_equations);
}

/// n and the rest of a direct solution from the dual weights a = (K + lambda T)^-1 y.
void fill_from_dual(const VisitedStates& states, const Loadings& loadings, Eigen::MatrixXd weights,
                    RidgeSolution& solution) {
  solution.relative_misfit =
      solution.penalty * static_cast<double>(states.rows) * weights.norm() / targets_of(states).norm();
  solution.mean = {
      .rank = states.rank, .inputs = states.inputs, .z = states.z, .v = states.v, .weights = std::move(weights)};
  if (solution.n.columns() == 0) solution.n = solution.mean(loadings);
}

/// Phi^T Phi / (N T) and Phi^T y / T of all neurons, every rank for itself.
struct NeuronSystem {
  Loadings all;
  Eigen::MatrixXd gram;
  Eigen::MatrixXd right;
};

NeuronSystem neuron_system(const VisitedStates& states, const Loadings& loadings, const parallel::Communicator& comm) {
  constexpr std::int64_t rows_at_once = 512;
  std::vector<std::int64_t> everyone(static_cast<std::size_t>(loadings.neurons()));
  std::iota(everyone.begin(), everyone.end(), 0);
  NeuronSystem system{.all = gathered(loadings, everyone, comm),
                      .gram = Eigen::MatrixXd::Zero(loadings.neurons(), loadings.neurons()),
                      .right = Eigen::MatrixXd::Zero(loadings.neurons(), states.rank)};
  for (std::int64_t first = 0; first < states.rows; first += rows_at_once) {
    const auto count = std::min(rows_at_once, states.rows - first);
    const Eigen::MatrixXd features = feature_matrix(system.all, rows_of(states, first, count));
    system.gram.selfadjointView<Eigen::Lower>().rankUpdate(features.transpose());
    system.right.noalias() += features.transpose() * targets_of(states).middleRows(first, count);
  }
  const double rows = static_cast<double>(states.rows);
  system.gram.triangularView<Eigen::StrictlyUpper>() = system.gram.transpose();
  system.gram /= rows * static_cast<double>(loadings.neurons());
  system.right /= rows;
  return system;
}

double best_penalty_by_neurons(const VisitedStates& states, const NeuronSystem& system) {
  const double neurons = static_cast<double>(system.gram.rows());
  Eigen::MatrixXd directions;
  auto spectrum = spectrum_of(system.gram, system.right, 0.0, states.rows, system.gram.rows(), directions);
  // psi_k = Phi u_k / sqrt(N gamma_k), where rounding leaves gamma_k its meaning.
  const double floor = std::numeric_limits<double>::epsilon() * neurons * spectrum.eigenvalues[0];
  const auto kept = static_cast<Eigen::Index>((spectrum.eigenvalues.array() > floor).count());
  spectrum.eigenvalues.conservativeResize(kept);
  spectrum.targets.conservativeResize(kept, Eigen::NoChange);
  spectrum.targets.array().colwise() /= (neurons * spectrum.eigenvalues.array()).sqrt();
  spectrum.unexplained = std::max(
      0.0, targets_of(states).squaredNorm() / static_cast<double>(states.rows) - spectrum.targets.squaredNorm());
  return spectrum.penalty(spectrum.maximise_evidence());
}

/// K / T = Phi Phi^T / (N T) [T, T].
Eigen::MatrixXd time_gram(const VisitedStates& states, const Loadings& loadings, const parallel::Communicator& comm) {
  NeuronSums sums(loadings.partition, states.rows, states.rows);
  TileRows features(states.rows);
  Eigen::MatrixXd gram(states.rows, states.rows);
  for (std::int64_t tile = 0; tile < loadings.partition.tiles(); ++tile) {
    tile_features(loadings, tile, rows_of(states), features.data());
    gram.setZero();
    gram.selfadjointView<Eigen::Lower>().rankUpdate(features.matrix(states.rows).transpose());
    sums.add(gram);
  }
  gram = sums.finish(comm);
  gram.triangularView<Eigen::StrictlyUpper>() = gram.transpose();
  return gram / (static_cast<double>(states.rows) * static_cast<double>(loadings.neurons()));
}

double best_penalty_by_times(const VisitedStates& states, const Loadings& loadings, const Eigen::MatrixXd& gram) {
  Eigen::MatrixXd directions;
  const auto spectrum = spectrum_of(gram, targets_of(states) / std::sqrt(static_cast<double>(states.rows)), 0.0,
                                    states.rows, loadings.neurons(), directions);
  return spectrum.penalty(spectrum.maximise_evidence());
}

}  // namespace

RidgeSolution solve_by_neurons(const VisitedStates& states, const Loadings& loadings, const RidgeOptions& options,
                               const parallel::Communicator& comm) {
  check_size("neurons", "neurons", loadings.neurons());
  const auto system = neuron_system(states, loadings, comm);
  RidgeSolution solution;
  solution.form = RidgeForm::neurons;
  solution.penalty = options.penalty ? *options.penalty : best_penalty_by_neurons(states, system);
  const auto factor = factor_of(system.gram, solution.penalty);
  const Eigen::MatrixXd n = factor.solve(system.right);
  model::NeuronArray<double> all(system.all.partition, states.rank);
  solution.n = model::NeuronArray<double>(loadings.partition, states.rank);
  for (int r = 0; r < states.rank; ++r) {
    for (std::int64_t i = 0; i < loadings.neurons(); ++i) all.at(i, r) = n(i, r);
    for (std::int64_t i = 0; i < loadings.partition.count(); ++i)
      solution.n.at(i, r) = n(loadings.partition.begin() + i, r);
  }
  const Eigen::MatrixXd left =
      targets_of(states) - drive_of(system.all, all, rows_of(states), parallel::Communicator());
  const double rows = static_cast<double>(states.rows);
  fill_numbers(factor, left.cwiseProduct(targets_of(states)).sum() / rows, states, loadings, solution);
  fill_from_dual(states, loadings, left / (solution.penalty * rows), solution);
  certify(states, loadings, comm, solution);
  return solution;
}

RidgeSolution solve_by_times(const VisitedStates& states, const Loadings& loadings, const RidgeOptions& options,
                             const parallel::Communicator& comm) {
  check_size("times", "visited rows", states.rows);
  const auto gram = time_gram(states, loadings, comm);
  RidgeSolution solution;
  solution.form = RidgeForm::times;
  solution.penalty = options.penalty ? *options.penalty : best_penalty_by_times(states, loadings, gram);
  const auto factor = factor_of(gram, solution.penalty);
  const double rows = static_cast<double>(states.rows);
  Eigen::MatrixXd weights = factor.solve(targets_of(states) / rows);
  fill_numbers(factor, solution.penalty * weights.cwiseProduct(targets_of(states)).sum(), states, loadings, solution);
  fill_from_dual(states, loadings, std::move(weights), solution);
  certify(states, loadings, comm, solution);
  return solution;
}

}  // namespace rankflow::connectivity
