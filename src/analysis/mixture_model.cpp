#include "analysis/mixture_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Cholesky>

#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// One component seen from the given variables.
struct ConditionalComponent {
  double log_weight = 0;  ///< weight, normalisation of the density included
  VectorXd given_mean;
  VectorXd wanted_mean;
  MatrixXd whiten;  ///< L⁻¹ of S = L Lᵀ
  MatrixXd slope;   ///< C S⁻¹
};

VectorXd entries_at(const VectorXd& vector, const std::vector<int>& places) {
  VectorXd chosen(static_cast<Eigen::Index>(places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) chosen[static_cast<Eigen::Index>(i)] = vector[places[i]];
  return chosen;
}

MatrixXd block_at(const MatrixXd& matrix, const std::vector<int>& rows, const std::vector<int>& columns) {
  MatrixXd chosen(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(columns.size()));
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < columns.size(); ++j)
      chosen(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = matrix(rows[i], columns[j]);
  return chosen;
}

bool has_variance(const MixtureModel& mixture, int variable) {
  return std::any_of(mixture.covariances.begin(), mixture.covariances.end(),
                     [&](const MatrixXd& covariance) { return covariance(variable, variable) > 0; });
}

ConditionalComponent conditional_component(const MixtureModel& mixture, std::size_t k, const std::vector<int>& given,
                                           const std::vector<int>& wanted) {
  const auto& covariance = mixture.covariances[k];
  const Eigen::LLT<MatrixXd> factor(block_at(covariance, given, given));
  if (factor.info() != Eigen::Success)
    throw NumericalError(
        "component {} of a Gaussian mixture: the covariance of (m, b, d) is singular, so that E[n | m, b, d] has no "
        "closed form there; estimate it (compare.conditional_mean = \"mixture\")",
        k);
  const auto size = static_cast<Eigen::Index>(given.size());
  const MatrixXd lower = factor.matrixL();
  ConditionalComponent component;
  component.given_mean = entries_at(mixture.means[k], given);
  component.wanted_mean = entries_at(mixture.means[k], wanted);
  component.whiten = lower.triangularView<Eigen::Lower>().solve(MatrixXd::Identity(size, size));
  component.slope = factor.solve(block_at(covariance, given, wanted)).transpose();
  component.log_weight = std::log(mixture.weights[k]) - lower.diagonal().array().log().sum();
  return component;
}

/// The function object behind conditional_mean().
class ConditionalOfMixture {
 public:
  ConditionalOfMixture(const MixtureModel& mixture, const std::vector<int>& given, const std::vector<int>& wanted)
      : arguments_(given.size()) {
    std::vector<int> telling;
    for (std::size_t i = 0; i < given.size(); ++i)
      if (has_variance(mixture, given[i])) {
        telling.push_back(given[i]);
        used_.push_back(i);
      }
    for (std::size_t k = 0; k < mixture.weights.size(); ++k)
      if (mixture.weights[k] > 0) components_.push_back(conditional_component(mixture, k, telling, wanted));
  }

  void operator()(std::span<const double> loadings, std::span<double> mean) const {
    if (loadings.size() != arguments_)
      throw InternalError("a conditional mean of {} variables was given {}", arguments_, loadings.size());
    VectorXd place(static_cast<Eigen::Index>(used_.size()));
    for (std::size_t i = 0; i < used_.size(); ++i) place[static_cast<Eigen::Index>(i)] = loadings[used_[i]];
    double largest = -std::numeric_limits<double>::infinity();
    for (const auto& component : components_) largest = std::max(largest, log_share(component, place));
    VectorXd sum = VectorXd::Zero(static_cast<Eigen::Index>(mean.size()));
    double total = 0;
    for (const auto& component : components_) {
      const double share = std::exp(log_share(component, place) - largest);
      total += share;
      sum += share * (component.wanted_mean + component.slope * (place - component.given_mean));
    }
    for (std::size_t r = 0; r < mean.size(); ++r) mean[r] = sum[static_cast<Eigen::Index>(r)] / total;
  }

 private:
  static double log_share(const ConditionalComponent& component, const VectorXd& place) {
    return component.log_weight - 0.5 * (component.whiten * (place - component.given_mean)).squaredNorm();
  }

  std::size_t arguments_;
  std::vector<std::size_t> used_;  // of the arguments
  std::vector<ConditionalComponent> components_;
};

}  // namespace

std::int64_t MixtureModel::free_parameters() const noexcept {
  const std::int64_t d = variables();
  return components() * (1 + d + d * (d + 1) / 2) - 1;
}

ConditionalMean conditional_mean(const MixtureModel& mixture, const std::vector<int>& given,
                                 const std::vector<int>& wanted) {
  return ConditionalOfMixture(mixture, given, wanted);
}

MixtureModel mixture_of(const std::vector<config::PopulationOptions>& populations, int rank, int inputs) {
  const int variables = 2 * rank + inputs + 1;
  double total = 0;
  for (const auto& population : populations) total += population.weight;
  MixtureModel mixture;
  for (const auto& population : populations) {
    mixture.weights.push_back(population.weight / total);
    VectorXd& mean = mixture.means.emplace_back(VectorXd::Zero(variables));
    for (std::size_t v = 0; v < population.mean.size(); ++v) mean[static_cast<Eigen::Index>(v)] = population.mean[v];
    MatrixXd& covariance = mixture.covariances.emplace_back(MatrixXd::Zero(variables, variables));
    for (std::size_t i = 0; i < population.covariance.size(); ++i)
      for (std::size_t j = 0; j < population.covariance[i].size(); ++j)
        covariance(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = population.covariance[i][j];
  }
  return mixture;
}

}  // namespace rankflow::analysis
