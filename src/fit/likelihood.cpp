#include "fit/likelihood.hpp"

#include <algorithm>
#include <cmath>

#include "fit/batches.hpp"
#include "fit/objective.hpp"

namespace rankflow::fit {

LikelihoodEstimate estimate_likelihood(const LoadedFit& fit, const DataSet& data, std::int64_t filters,
                                       const parallel::Communicator& comm) {
  constexpr std::int64_t trials_at_once = 16;
  const std::int64_t trials = std::min(trials_at_once, data.trials);
  const std::int64_t batches = (data.trials + trials - 1) / trials;
  Objective<double> objective(fit.model, fit.options, comm, trials, data.times);
  Batch batch(trials, data.times, data);
  std::vector<Evaluation> totals(static_cast<std::size_t>(filters));
  for (std::int64_t b = 0; b < batches; ++b) {
    std::vector<Stretch> whole;
    for (std::int64_t trial = b * trials; trial < std::min(data.trials, (b + 1) * trials); ++trial)
      whole.push_back({trial, 0, data.lengths[static_cast<std::size_t>(trial)]});
    batch.fill(whole);
    for (std::int64_t f = 0; f < filters; ++f)
      totals[static_cast<std::size_t>(f)] +=
          objective.value(fit.parameters, batch, static_cast<std::uint64_t>(f * batches + b));
  }
  LikelihoodEstimate estimate;
  for (const auto& total : totals) estimate.per_step += total.per_step() / static_cast<double>(filters);
  double squares = 0;
  for (const auto& total : totals) squares += std::pow(total.per_step() - estimate.per_step, 2);
  estimate.error = std::sqrt(squares / static_cast<double>(filters * (filters - 1)));
  return estimate;
}

}  // namespace rankflow::fit
