#include "analysis/identifiability_conditions.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Eigenvalues>

#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

using VisitedRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A variable whose standard deviation is this share of its size is constant but for rounding.
constexpr double constant_share = 1e-9;
/// Largest deviation of the drive at a visited state, over the one without data.
constexpr double well_determined = 0.5;

/// Smallest over largest singular value, from a Gram matrix.
double inverse_condition(const Eigen::MatrixXd& gram) {
  if (gram.rows() == 0) return 1.0;
  const Eigen::VectorXd eigenvalues = gram.selfadjointView<Eigen::Lower>().eigenvalues();
  const double largest = eigenvalues[eigenvalues.size() - 1];
  return largest > 0 ? std::sqrt(std::max(0.0, eigenvalues[0]) / largest) : 0.0;
}

Eigen::MatrixXd loading_gram(const model::Network<double>& network, const parallel::Communicator& comm) {
  const auto rank = static_cast<Eigen::Index>(network.rank);
  parallel::ReproducibleSum sum(static_cast<std::size_t>(rank * rank));
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
    const Eigen::Map<const Eigen::MatrixXd> m(network.m.tile(tile, 0), parallel::tile_size, rank);
    const Eigen::MatrixXd gram = m.transpose() * m;
    for (Eigen::Index c = 0; c < gram.size(); ++c) sum.add(static_cast<std::size_t>(c), gram.data()[c]);
  }
  Eigen::MatrixXd gram(rank, rank);
  sum.reduce(comm, std::span(gram.data(), sum.count()));
  return gram;
}

/// Covariance of rows.
Eigen::MatrixXd covariance_of(const Eigen::MatrixXd& rows) {
  const Eigen::MatrixXd centred = rows.rowwise() - rows.colwise().mean();
  return centred.transpose() * centred / static_cast<double>(rows.rows());
}

Eigen::MatrixXd latent_rows(const connectivity::VisitedStates& states) {
  return Eigen::Map<const VisitedRows>(states.z.data(), states.rows, states.rank);
}

/// Smallest share of an input's standard deviation that neither constant nor latents nor other inputs explain.
double input_excitation(const connectivity::VisitedStates& states) {
  Eigen::MatrixXd rows(states.rows, states.rank + states.inputs);
  rows << latent_rows(states), Eigen::Map<const VisitedRows>(states.v.data(), states.rows, states.inputs);
  Eigen::MatrixXd correlation = covariance_of(rows);
  const Eigen::VectorXd scale = correlation.diagonal().cwiseSqrt();
  const Eigen::VectorXd size = (rows.cwiseAbs2().colwise().mean()).cwiseSqrt();
  if (((scale - constant_share * size).array() <= 0).tail(states.inputs).any()) return 0.0;
  for (Eigen::Index i = 0; i < scale.size(); ++i)
    for (Eigen::Index j = 0; j < scale.size(); ++j)
      correlation(i, j) = scale[i] > 0 && scale[j] > 0 ? correlation(i, j) / (scale[i] * scale[j]) : i == j ? 1.0 : 0.0;
  // 1 - R^2 of variable i given the others is 1 / (correlation^-1)_ii; rounding keeps it above 1e-14.
  correlation.diagonal().array() += 1e-14;
  const Eigen::VectorXd inverse =
      correlation.ldlt().solve(Eigen::MatrixXd::Identity(scale.size(), scale.size())).diagonal();
  return std::sqrt(1 / inverse.tail(states.inputs).maxCoeff());
}

Condition at_least(std::string name, double value, double limit, std::string meaning) {
  return {std::move(name), value >= limit ? Verdict::met : Verdict::not_met, value, limit, false, std::move(meaning)};
}

Condition at_most(std::string name, double value, double limit, std::string meaning) {
  return {std::move(name), value <= limit ? Verdict::met : Verdict::not_met, value, limit, true, std::move(meaning)};
}

/// Directions of R^N that the visited states excite above the rounding of the reduced features.
double excited_directions(const connectivity::Posterior& posterior, double tolerance) {
  const auto& gamma = posterior.spectrum().eigenvalues;
  return static_cast<double>((gamma.array() > tolerance * tolerance * gamma.sum()).count());
}

}  // namespace

std::string name_of(Verdict verdict) {
  return verdict == Verdict::met ? "met" : verdict == Verdict::not_met ? "not met" : "does not apply";
}

std::vector<Condition> uniqueness_conditions(const ConditionInputs& inputs, const parallel::Communicator& comm) {
  const auto& states = inputs.states;
  const auto neurons = static_cast<double>(inputs.network.neurons());
  const bool linear = inputs.network.activation == model::Activation::identity;
  std::vector<Condition> found;
  found.push_back(at_least("loadings span the latents", inverse_condition(loading_gram(inputs.network, comm)), 1e-6,
                           "m has full column rank: smallest over largest singular value"));
  found.push_back(at_least("loadings are given", inputs.origin.given_loadings ? 1 : 0, 1,
                           "m fixes the coordinates of z; a fit chooses them, and A z with m A^-1, A n does as well"));
  found.push_back(at_least("latents span their space", inverse_condition(covariance_of(latent_rows(states))), 1e-3,
                           "smallest over largest standard deviation of the visited latents"));
  Condition excitation = at_least("inputs vary by themselves", states.inputs > 0 ? input_excitation(states) : 1, 0.01,
                                  "least share of an input that latents, other inputs and a constant do not explain");
  if (states.inputs == 0) excitation.verdict = Verdict::not_applicable;
  found.push_back(std::move(excitation));
  found.push_back(at_least("activation is nonlinear", linear ? 0 : 1, 1,
                           "a linear one responds along R + I + 1 directions only, however many neurons there are"));
  found.push_back(
      at_least("one row per neuron", static_cast<double>(states.rows) / neurons, 1, "rows visited over neurons"));
  found.push_back(at_least("features of full rank", excited_directions(inputs.posterior, inputs.tolerance) / neurons, 1,
                           "directions that the visited states excite at all, over neurons: below 1 the rest of n is "
                           "free whatever the noise"));
  found.push_back(at_least("rows one step apart", inputs.origin.exact_steps ? 1 : 0, 1,
                           "else the drive is told from differences, with an error of the order of their distance"));
  found.push_back(at_most("drive explained", inputs.misfit, 0.1,
                          "share of the drive's mean square that no n under this penalty explains with these m, b, d"));
  found.push_back(at_most("free of noise", inputs.misfit, 1e-6, "the same share: noise leaves more than this"));
  found.push_back(at_most(
      "penalty covers the noise", inputs.noise_assumed > 0 ? inputs.noise_seen / inputs.noise_assumed : HUGE_VAL, 1.5,
      "variance left over the one that penalty and prior stand for: above it widths are too small"));
  found.push_back(at_most("visited states determine their drive", inputs.worst_visited, well_determined,
                          "largest standard deviation of the drive at visited states, over the one without data"));
  return found;
}

}  // namespace rankflow::analysis
