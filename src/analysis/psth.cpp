#include "analysis/psth.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/smoothing.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

/// Σ_s w(t − s) x(s), nothing beyond the ends.
std::vector<double> weighted(const std::vector<double>& x, const std::vector<double>& kernel) {
  const auto half = static_cast<std::ptrdiff_t>(kernel.size() / 2), n = static_cast<std::ptrdiff_t>(x.size());
  std::vector<double> result(x.size(), 0.0);
  for (std::ptrdiff_t t = 0; t < n; ++t)
    for (auto s = std::max<std::ptrdiff_t>(0, t - half); s < std::min(n, t + half + 1); ++s)
      result[static_cast<std::size_t>(t)] +=
          kernel[static_cast<std::size_t>(t - s + half)] * x[static_cast<std::size_t>(s)];
  return result;
}

/// Spikes and observed trials at each time, of one channel in one condition.
struct Histogram {
  std::vector<double> spikes, trials;
};

Histogram count(const Series& counts, std::span<const std::int64_t> condition, std::int64_t wanted,
                std::int64_t channel) {
  Histogram histogram{std::vector<double>(static_cast<std::size_t>(counts.times), 0.0),
                      std::vector<double>(static_cast<std::size_t>(counts.times), 0.0)};
  for (std::int64_t trial = 0; trial < counts.trials; ++trial) {
    if (!condition.empty() && condition[static_cast<std::size_t>(trial)] != wanted) continue;
    for (std::int64_t time = 0; time < counts.times; ++time) {
      const double value = counts.at(trial, time, channel);
      if (std::isnan(value)) continue;
      histogram.spikes[static_cast<std::size_t>(time)] += value;
      histogram.trials[static_cast<std::size_t>(time)] += 1;
    }
  }
  return histogram;
}

/// Mean spikes per bin of each channel; at least half a spike in all.
std::vector<double> mean_rates(const Series& counts) {
  std::vector<double> rates;
  const std::vector<std::int64_t> one_condition;
  for (std::int64_t channel = 0; channel < counts.channels; ++channel) {
    const auto histogram = count(counts, one_condition, 0, channel);
    double spikes = 0, bins = 0;
    for (std::size_t t = 0; t < histogram.spikes.size(); ++t) {
      spikes += histogram.spikes[t];
      bins += histogram.trials[t];
    }
    if (bins == 0) throw InputDataError("channel {} was observed in no trial: it has no mean rate", channel);
    rates.push_back(std::max(spikes, 0.5) / bins);
  }
  return rates;
}

void require_conditions(std::size_t given, std::int64_t trials, std::span<const std::int64_t> condition,
                        std::int64_t conditions) {
  if (given != 0 && given != static_cast<std::size_t>(trials))
    throw InternalError("{} conditions for {} trials", given, trials);
  for (const auto value : condition)
    if (value < 0 || value >= conditions) throw InternalError("condition {} of {}", value, conditions);
}

}  // namespace

Series psth(const Series& counts, std::span<const std::int64_t> condition, std::int64_t conditions,
            const PsthOptions& options) {
  require_conditions(condition.size(), counts.trials, condition, conditions);
  Series table{conditions, counts.times, counts.channels};
  table.values.resize(static_cast<std::size_t>(conditions * counts.times * counts.channels));
  const auto mean = mean_rates(counts);
  const auto kernel = gaussian_window(options.smoothing);
  for (std::int64_t wanted = 0; wanted < conditions; ++wanted)
    for (std::int64_t channel = 0; channel < counts.channels; ++channel) {
      const auto place = static_cast<std::size_t>(channel);
      const auto histogram = count(counts, condition, wanted, channel);
      const auto spikes = weighted(histogram.spikes, kernel), trials = weighted(histogram.trials, kernel);
      for (std::size_t t = 0; t < spikes.size(); ++t)
        table.values[table.row(wanted, static_cast<std::int64_t>(t)) + place] =
            (spikes[t] + options.prior_trials * mean[place]) / (trials[t] + options.prior_trials);
    }
  return table;
}

Series rates_of_conditions(const Series& table, std::span<const std::int64_t> condition) {
  require_conditions(0, 0, condition, table.trials);
  Series rates{static_cast<std::int64_t>(condition.size()), table.times, table.channels};
  for (const auto chosen : condition) {
    const auto one = one_trial(table, chosen);
    rates.values.insert(rates.values.end(), one.values.begin(), one.values.end());
  }
  return rates;
}

}  // namespace rankflow::analysis
