#include "analysis/populations_report.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "analysis/connectivity_distance_points.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

using parallel::tile_size;

std::vector<std::string> variable_names(const model::Network<double>& network) {
  std::vector<std::string> names;
  for (const char* array : {"m", "n"})
    for (int r = 1; r <= network.rank; ++r) names.push_back(fmt::format("{}{}", array, r));
  for (int k = 1; k <= network.inputs; ++k) names.push_back(fmt::format("b{}", k));
  if (network.has_bias()) names.emplace_back("d");
  return names;
}

MixtureFitOptions fit_options(const config::PopulationsOptions& options) {
  return {.components = static_cast<int>(options.count),
          .starts = options.starts,
          .most = options.iterations,
          .tolerance = options.tolerance,
          .regularisation = options.regularisation,
          .seed = static_cast<std::uint64_t>(options.seed)};
}

MixtureSelection select_number(const model::Network<double>& network, const config::PopulationsOptions& options,
                               const parallel::Communicator& comm) {
  const MixtureSelectionOptions asked{
      .most = static_cast<int>(options.most), .folds = static_cast<int>(options.folds), .fit = fit_options(options)};
  if (network.neurons() <= options.neurons) return select_components(MixtureRows(network, comm), asked, comm);
  const auto sample =
      sample_neurons(network, options.neurons, network.has_bias(), static_cast<std::uint64_t>(options.seed), comm);
  return select_components(MixtureRows(sample.rows(), comm), asked, comm);
}

/// The largest component first; equal ones by their means, so that the order says nothing about starts.
MixtureModel by_weight(const MixtureModel& mixture) {
  std::vector<std::size_t> order(mixture.weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (mixture.weights[a] != mixture.weights[b]) return mixture.weights[a] > mixture.weights[b];
    return std::lexicographical_compare(mixture.means[a].begin(), mixture.means[a].end(), mixture.means[b].begin(),
                                        mixture.means[b].end());
  });
  MixtureModel sorted;
  for (const auto k : order) {
    sorted.weights.push_back(mixture.weights[k]);
    sorted.means.push_back(mixture.means[k]);
    sorted.covariances.push_back(mixture.covariances[k]);
  }
  return sorted;
}

void label_neurons(const MixtureRows& rows, const MixtureModel& scaled, const parallel::Communicator& comm,
                   Populations& found) {
  const MixtureDensity density(scaled);
  std::vector<TileValues> shares(scaled.weights.size());
  TileValues total;
  found.members.assign(shares.size(), 0);
  parallel::ReproducibleSum sum(1);
  for (std::int64_t tile = 0; tile < rows.partition().tiles(); ++tile) {
    density.evaluate(rows, tile, shares, total);
    for (std::int64_t i = 0; i < tile_size; ++i) {
      const auto best = std::max_element(shares.begin(), shares.end(),
                                         [i](const auto& a, const auto& b) { return a.data()[i] < b.data()[i]; });
      found.labels.push_back(static_cast<std::uint8_t>(best - shares.begin()));
      found.certainty.push_back(best->data()[i]);
      if (i >= rows.partition().tile_count(tile)) continue;
      ++found.members[found.labels.back()];
      sum.add(0, found.certainty.back());
    }
  }
  comm.sum(found.members);
  sum.reduce(comm, std::span(&found.mean_certainty, 1));
  found.mean_certainty /= static_cast<double>(rows.partition().global_count());
}

}  // namespace

Populations find_populations(const model::Network<double>& network, const config::PopulationsOptions& options,
                             const parallel::Communicator& comm) {
  Populations found;
  auto asked = fit_options(options);
  if (options.count == 0) {
    found.selection = select_number(network, options, comm);
    asked.components = found.selection->chosen;
  }
  const MixtureRows rows(network, comm);
  const auto fit = fit_mixture(rows, all_rows(rows.partition()), asked, comm);
  const auto scaled = by_weight(fit.model);
  found.converged = fit.converged;
  found.log_likelihood = fit.log_likelihood + rows.log_scale();
  found.mixture = rows.in_own_units(scaled);
  found.variables = variable_names(network);
  label_neurons(rows, scaled, comm, found);
  return found;
}

}  // namespace rankflow::analysis
