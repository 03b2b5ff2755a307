#include "analysis/identifiability_functionals.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

using parallel::tile_size;

/// What the weights of one functional are: a column of m or b, or 1, over all neurons or over one population.
struct WeightColumn {
  std::string name;
  const model::NeuronArray<double>* array = nullptr;  ///< null: 1
  int column = 0;
  int population = -1;  ///< -1: all
};

std::vector<WeightColumn> weight_columns(const model::Network<double>& network) {
  std::vector<WeightColumn> columns;
  for (int population = -1; population < static_cast<int>(network.population_names.size()); ++population) {
    if (population == 0 && network.population.empty()) break;
    const auto suffix = population < 0 ? "" : " of " + network.population_names[static_cast<std::size_t>(population)];
    for (int s = 0; s < network.rank; ++s)
      columns.push_back({fmt::format("n.m{}{}", s + 1, suffix), &network.m, s, population});
    for (int k = 0; k < network.inputs; ++k)
      columns.push_back({fmt::format("n.b{}{}", k + 1, suffix), &network.input_weights, k, population});
    columns.push_back({"mean n" + suffix, nullptr, 0, population});
  }
  return columns;
}

/// w [N, functional] of this rank's neurons.
model::NeuronArray<double> weights_of(const std::vector<WeightColumn>& columns, const model::Network<double>& network) {
  model::NeuronArray<double> weights(network.partition, static_cast<int>(columns.size()));
  const double share = 1.0 / static_cast<double>(network.neurons());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const auto& column = columns[c];
    for (std::int64_t i = 0; i < network.partition.count(); ++i) {
      if (column.population >= 0 && network.population[static_cast<std::size_t>(i)] != column.population) continue;
      const double factor = column.array == nullptr ? 1.0 : column.array->at(i, column.column);
      weights.at(i, static_cast<int>(c)) = share * factor;
    }
  }
  return weights;
}

/// sum_i w_ic n_ir [functional, R].
std::vector<double> apply_functionals(const model::NeuronArray<double>& weights, const model::Network<double>& network,
                                      const parallel::Communicator& comm) {
  const auto rank = static_cast<std::size_t>(network.rank);
  parallel::ReproducibleSum sum(static_cast<std::size_t>(weights.columns()) * rank);
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile)
    for (int c = 0; c < weights.columns(); ++c)
      for (int r = 0; r < network.rank; ++r) {
        const double* w = weights.tile(tile, c);
        const double* n = network.n.tile(tile, r);
        double part = 0;
        for (std::int64_t i = 0; i < tile_size; ++i) part += w[i] * n[i];
        sum.add(static_cast<std::size_t>(c) * rank + static_cast<std::size_t>(r), part);
      }
  std::vector<double> values(sum.count());
  sum.reduce(comm, values);
  return values;
}

std::vector<double> row_of(const Eigen::MatrixXd& table, Eigen::Index row) {
  std::vector<double> values;
  for (Eigen::Index c = 0; c < table.cols(); ++c) values.push_back(table(row, c));
  return values;
}

}  // namespace

double NamedFunctional::determined() const {
  if (!(prior_deviation > 0)) return 0.0;
  const double ratio = deviation / prior_deviation;
  return std::max(0.0, 1 - ratio * ratio);
}

std::vector<NamedFunctional> named_functionals(const connectivity::Posterior& posterior,
                                               const connectivity::Variances& variances,
                                               const model::Network<double>& network,
                                               const parallel::Communicator& comm) {
  const auto columns = weight_columns(network);
  const auto weights = weights_of(columns, network);
  const auto known = posterior.functionals(variances, weights, comm);
  const auto given = apply_functionals(weights, network, comm);
  const auto rank = static_cast<std::ptrdiff_t>(network.rank);
  std::vector<NamedFunctional> functionals;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const auto first = static_cast<std::ptrdiff_t>(c) * rank;
    functionals.push_back({.name = columns[c].name,
                           .given = {given.begin() + first, given.begin() + first + rank},
                           .estimate = row_of(known.mean, static_cast<Eigen::Index>(c)),
                           .deviation = known.deviation[static_cast<Eigen::Index>(c)],
                           .prior_deviation = known.prior_deviation[static_cast<Eigen::Index>(c)]});
  }
  return functionals;
}

}  // namespace rankflow::analysis
