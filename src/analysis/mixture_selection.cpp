#include "analysis/mixture_selection.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "parallel/draws.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

/// A value for each of this rank's rows, padding included.
using RowValues = std::vector<double>;

struct MeanAndError {
  double mean = 0;
  double error = 0;
};

/// Mean over all ranks' rows and its standard error.
MeanAndError mean_and_error(const parallel::Partition& partition, const RowValues& values,
                            const parallel::Communicator& comm) {
  const auto mine = std::span(values).first(static_cast<std::size_t>(partition.count()));
  const auto count = static_cast<double>(partition.global_count());
  parallel::ReproducibleSum sum(1);
  MeanAndError found;
  for (const double value : mine) sum.add(0, value);
  sum.reduce(comm, std::span(&found.mean, 1));
  found.mean /= count;
  for (const double value : mine) sum.add(0, (value - found.mean) * (value - found.mean));
  double squares = 0;
  sum.reduce(comm, std::span(&squares, 1));
  found.error = std::sqrt(squares / count / (count - 1));
  return found;
}

std::vector<std::uint64_t> deal_folds(const parallel::Partition& partition, int folds, std::uint64_t seed) {
  std::vector<std::uint64_t> fold(static_cast<std::size_t>(partition.count()));
  parallel::below(parallel::Stream(seed, parallel::Purpose::population_folds), {},
                  static_cast<std::uint64_t>(partition.begin()), static_cast<std::uint64_t>(folds), fold);
  return fold;
}

/// Log-density of each row under the mixture fitted to the other folds, scaled units.
RowValues held_out(const MixtureRows& rows, const std::vector<std::uint64_t>& fold, int folds,
                   const MixtureFitOptions& options, const parallel::Communicator& comm) {
  RowValues scores(static_cast<std::size_t>(rows.partition().padded_count()), 0.0);
  for (int left_out = 0; left_out < folds; ++left_out) {
    RowChoice chosen = all_rows(rows.partition());
    for (std::size_t i = 0; i < fold.size(); ++i)
      if (fold[i] == static_cast<std::uint64_t>(left_out)) chosen[i] = 0;
    auto with_fold = options;
    with_fold.fold = static_cast<std::uint32_t>(left_out + 1);
    const auto densities = log_densities(rows, fit_mixture(rows, chosen, with_fold, comm).model);
    for (std::size_t i = 0; i < fold.size(); ++i)
      if (fold[i] == static_cast<std::uint64_t>(left_out)) scores[i] = densities[i];
  }
  return scores;
}

void choose_number(const MixtureRows& rows, const std::vector<RowValues>& held, double allowed,
                   MixtureSelection& selection, const parallel::Communicator& comm) {
  const auto best = std::max_element(selection.scores.begin(), selection.scores.end(),
                                     [](const auto& a, const auto& b) { return a.log_likelihood < b.log_likelihood; });
  const auto& reference = held[static_cast<std::size_t>(best - selection.scores.begin())];
  selection.best = best->components;
  selection.chosen = 0;
  selection.one_error = 0;
  for (std::size_t k = 0; k < held.size(); ++k) {
    RowValues difference(reference.size());
    for (std::size_t i = 0; i < reference.size(); ++i) difference[i] = reference[i] - held[k][i];
    const auto found = mean_and_error(rows.partition(), difference, comm);
    selection.scores[k].shortfall = found.mean;
    selection.scores[k].shortfall_error = found.error;
    const int components = selection.scores[k].components;
    if (selection.chosen == 0 && found.mean <= allowed * found.error) selection.chosen = components;
    if (selection.one_error == 0 && found.mean <= best->standard_error) selection.one_error = components;
  }
}

}  // namespace

MixtureSelection select_components(const MixtureRows& rows, const MixtureSelectionOptions& options,
                                   const parallel::Communicator& comm) {
  const auto count = rows.partition().global_count();
  if (count < 2 * options.folds)
    throw InputDataError("{} neurons are too few for {} folds of a cross-validation: at least {} are needed", count,
                         options.folds, 2 * options.folds);
  const auto fold = deal_folds(rows.partition(), options.folds, options.fit.seed);
  MixtureSelection selection;
  std::vector<RowValues> held;
  for (int k = 1; k <= options.most; ++k) {
    auto fit = options.fit;
    fit.components = k;
    held.push_back(held_out(rows, fold, options.folds, fit, comm));
    const auto score = mean_and_error(rows.partition(), held.back(), comm);
    const auto whole = fit_mixture(rows, all_rows(rows.partition()), fit, comm);
    const auto all = static_cast<double>(count);
    selection.scores.push_back({.components = k,
                                .log_likelihood = score.mean + rows.log_scale(),
                                .standard_error = score.error,
                                .bic = -2 * all * (whole.log_likelihood + rows.log_scale()) +
                                       static_cast<double>(whole.model.free_parameters()) * std::log(all)});
  }
  choose_number(rows, held, options.standard_errors, selection, comm);
  return selection;
}

}  // namespace rankflow::analysis
