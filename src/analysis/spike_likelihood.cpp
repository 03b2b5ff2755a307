#include "analysis/spike_likelihood.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

double log_poisson(double count, double rate) {
  return (count > 0 ? count * std::log(rate) : 0.0) - rate - std::lgamma(count + 1);
}

void require_rate(const Series& counts, std::size_t i, double rate) {
  if (std::isfinite(rate) && rate >= 0 && (rate > 0 || counts.values[i] == 0)) return;
  const auto row = static_cast<std::int64_t>(i) / counts.channels;
  throw NumericalError(
      "the rate at trial {}, time {}, channel {} is {}, where {} spikes were observed; rates must be "
      "finite and positive",
      row / counts.times, row % counts.times, static_cast<std::int64_t>(i) % counts.channels, rate, counts.values[i]);
}

}  // namespace

std::vector<SpikeScore> spike_scores(const Series& counts, const Series& rates) {
  if (counts.values.size() != rates.values.size() || counts.channels != rates.channels)
    throw InternalError("{} rates for {} counts", rates.values.size(), counts.values.size());
  std::vector<SpikeScore> scores(static_cast<std::size_t>(counts.channels));
  for (std::size_t i = 0; i < counts.values.size(); ++i) {
    const double count = counts.values[i], rate = rates.values[i];
    if (std::isnan(count) || std::isnan(rate)) continue;
    require_rate(counts, i, rate);
    auto& score = scores[i % scores.size()];
    score.log_likelihood += log_poisson(count, rate);
    score.spikes += count;
  }
  return scores;
}

SpikeScore total(std::span<const SpikeScore> channels) {
  SpikeScore sum;
  for (const auto& channel : channels) {
    sum.log_likelihood += channel.log_likelihood;
    sum.spikes += channel.spikes;
  }
  return sum;
}

double bits_per_spike(double log_likelihood, const SpikeScore& reference) {
  return reference.spikes > 0 ? (log_likelihood - reference.log_likelihood) / (reference.spikes * std::numbers::ln2)
                              : std::numeric_limits<double>::quiet_NaN();
}

double bits_per_spike(const Series& counts, const Series& rates, const Series& reference) {
  Series compared = counts;
  if (reference.values.size() != counts.values.size() || rates.values.size() != counts.values.size())
    throw InternalError("{} rates and {} reference rates for {} counts", rates.values.size(), reference.values.size(),
                        counts.values.size());
  for (std::size_t i = 0; i < compared.values.size(); ++i)
    if (std::isnan(rates.values[i]) || std::isnan(reference.values[i]))
      compared.values[i] = std::numeric_limits<double>::quiet_NaN();
  return bits_per_spike(total(spike_scores(compared, rates)).log_likelihood, total(spike_scores(compared, reference)));
}

Series constant_rates(std::int64_t trials, std::int64_t times, std::span<const double> rates) {
  Series series{trials, times, static_cast<std::int64_t>(rates.size())};
  for (std::int64_t row = 0; row < trials * times; ++row)
    series.values.insert(series.values.end(), rates.begin(), rates.end());
  return series;
}

}  // namespace rankflow::analysis
