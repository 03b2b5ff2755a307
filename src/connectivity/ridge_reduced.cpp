#include <algorithm>
#include <cmath>

#include "connectivity/posterior.hpp"
#include "connectivity/ridge_forms.hpp"

namespace rankflow::connectivity {
namespace {

constexpr std::int64_t fewest_certified_rows = 32;
constexpr std::int64_t most_certified_rows = 128;

double best_penalty(const FeatureBasis& basis, const Loadings& loadings, const Eigen::MatrixXd& gram) {
  Eigen::MatrixXd directions;
  const auto spectrum =
      spectrum_of(gram, basis.targets(), basis.unexplained(), basis.rows(), loadings.neurons(), directions);
  return spectrum.penalty(spectrum.maximise_evidence());
}

}  // namespace

RidgeSolution solve_reduced(const VisitedStates& states, const FeatureBasis& basis, const Loadings& loadings,
                            const RidgeOptions& options, const parallel::Communicator& comm) {
  const Eigen::MatrixXd gram = feature_gram(basis, loadings, comm);
  RidgeSolution solution;
  solution.form = RidgeForm::reduced;
  solution.functions = basis.functions();
  solution.penalty = options.penalty ? *options.penalty : best_penalty(basis, loadings, gram);
  const auto factor = factor_of(gram, solution.penalty);
  const Eigen::MatrixXd weights = factor.solve(basis.targets());
  fill_numbers(factor, basis.unexplained() + solution.penalty * basis.targets().cwiseProduct(weights).sum(), states,
               loadings, solution);
  const double left = basis.unexplained() + solution.penalty * solution.penalty * weights.squaredNorm();
  solution.relative_misfit = std::sqrt(left / basis.target_square());
  const auto rows = basis.interpolation_rows();
  solution.mean = {.rank = states.rank,
                   .inputs = states.inputs,
                   .z = {rows.z, rows.z + rows.count * states.rank},
                   .v = {rows.v, rows.v + rows.count * states.inputs},
                   .weights = basis.interpolation().transpose() * weights};
  solution.n = solution.mean(loadings);
  if (2 * loadings.neurons() * states.rows <= options.certificate_features)
    certify(states, loadings, comm, solution);
  else
    certify_reduced(states, basis, loadings, gram,
                    std::min(states.rows, std::clamp(options.certificate_features / loadings.neurons(),
                                                     fewest_certified_rows, most_certified_rows)),
                    comm, solution);
  return solution;
}

}  // namespace rankflow::connectivity
