#include "connectivity/ridge.hpp"

#include <algorithm>
#include <cmath>

#include "connectivity/ridge_forms.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

/// Below, a Cholesky factor costs less than a basis.
constexpr std::int64_t few_equations = 256;
constexpr double coarsest_basis = 1e-2;

}  // namespace

RidgeOptions ridge_options(const config::RidgeOptions& table) {
  RidgeOptions options{.form = table.form, .tolerance = table.tolerance};
  if (!table.evidence) options.penalty = table.penalty;
  return options;
}

void check_ridge_options(const RidgeOptions& options) {
  if (options.penalty && !(*options.penalty > 0.0 && std::isfinite(*options.penalty)))
    throw ConfigurationError(
        "the ridge penalty lambda must be above 0, found {}: without it n is not determined; choose one or have it "
        "estimated by the evidence",
        *options.penalty);
  if (!(options.tolerance > 0.0 && options.tolerance < 1.0))
    throw ConfigurationError("the tolerance of the ridge solution must lie in (0, 1), found {}", options.tolerance);
  if (options.maximum_iterations < 1)
    throw ConfigurationError("the ridge solution needs at least 1 iteration, found {}", options.maximum_iterations);
}

RidgeSolver::RidgeSolver(const VisitedStates& states, const RidgeOptions& options)
    : states_(states), options_(options), basis_options_(options.basis) {
  check_ridge_options(options);
  check_visited_states(states);
  basis_options_.tolerance = std::min(10 * options.tolerance, coarsest_basis);
}

void RidgeSolver::build_basis(const Loadings& loadings, const parallel::Communicator& comm) {
  basis_ = std::make_unique<FeatureBasis>(states_, loadings, basis_options_, comm);
  ++bases_built_;
}

const FeatureBasis& RidgeSolver::basis(const Loadings& loadings, const parallel::Communicator& comm) {
  if (basis_ == nullptr) {
    check_loadings(loadings, states_, comm);
    build_basis(loadings, comm);
  }
  return *basis_;
}

RidgeForm RidgeSolver::choose_form(const Loadings& loadings) const {
  if (options_.form != RidgeForm::automatic) return options_.form;
  if (std::min(loadings.neurons(), states_.rows) > few_equations) return RidgeForm::reduced;
  return loadings.neurons() < states_.rows ? RidgeForm::neurons : RidgeForm::times;
}

/// A basis of other neurons lacks a few of these, seldom fineness.
void RidgeSolver::improve_basis(const Loadings& loadings, bool of_others, int attempt,
                                const parallel::Communicator& comm) {
  constexpr int extensions = 3;
  if (of_others && attempt <= extensions &&
      basis_->extend(states_, loadings, basis_options_.tolerance * std::pow(0.25, attempt - 1), comm) > 0) {
    ++bases_extended_;
    return;
  }
  if (basis_->error() <= basis_options_.tolerance) basis_options_.tolerance /= 10;
  build_basis(loadings, comm);
}

/// With a better basis as long as the residual is too large and a better one can be had.
RidgeSolution RidgeSolver::reduced(const Loadings& loadings, const parallel::Communicator& comm) {
  constexpr int attempts = 6;
  const bool of_others = basis_ != nullptr;
  auto solution = solve_reduced(states_, basis(loadings, comm), loadings, options_, comm);
  for (int attempt = 1; attempt < attempts && solution.certificate.residual > options_.tolerance; ++attempt) {
    if (basis_->exhausted()) break;
    improve_basis(loadings, of_others, attempt, comm);
    solution = solve_reduced(states_, *basis_, loadings, options_, comm);
  }
  return solution;
}

RidgeSolution RidgeSolver::solve(const Loadings& loadings, const parallel::Communicator& comm) {
  check_loadings(loadings, states_, comm);
  const auto form = choose_form(loadings);
  if (form == RidgeForm::neurons) return solve_by_neurons(states_, loadings, options_, comm);
  if (form == RidgeForm::times) return solve_by_times(states_, loadings, options_, comm);
  auto solution = reduced(loadings, comm);
  const bool reached = solution.certificate.residual <= options_.tolerance;
  if (form == RidgeForm::reduced && options_.form == RidgeForm::reduced && !reached)
    throw NumericalError(
        "the reduced form of the ridge reaches a residual of {:.3g} with {} functions, not the tolerance {:.3g}: allow "
        "more functions, a larger tolerance, or choose form \"iterative\"",
        solution.certificate.residual, solution.functions, options_.tolerance);
  if (form == RidgeForm::iterative || !reached) refine(states_, *basis_, loadings, options_, comm, solution);
  return solution;
}

RidgeSolution solve_ridge(const VisitedStates& states, const Loadings& loadings, const RidgeOptions& options,
                          const parallel::Communicator& comm) {
  return RidgeSolver(states, options).solve(loadings, comm);
}

}  // namespace rankflow::connectivity
