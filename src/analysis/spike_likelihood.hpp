#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/series.hpp"

namespace rankflow::analysis {

/// Log-likelihood of counts under Poisson rates.
struct SpikeScore {
  double log_likelihood = 0;  ///< Σ y log λ − λ − log y!, nats
  double spikes = 0;          ///< Σ y
};

/// Scores of each channel over the bins where counts and rates (spikes per bin) are both given, that is not NaN.
/// Throws InternalError when shapes differ; NumericalError naming the position of a rate that is negative, infinite, or
/// 0 where spikes were observed.
std::vector<SpikeScore> spike_scores(const Series& counts, const Series& rates);
SpikeScore total(std::span<const SpikeScore> channels);

/// (log-likelihood − that of the reference) / (spikes · log 2): co-smoothing bits per spike when the channels were held
/// out and the reference is each channel's mean rate (Pei et al. 2021, "Neural Latents Benchmark '21"). NaN without
/// spikes.
double bits_per_spike(double log_likelihood, const SpikeScore& reference);
/// The same for all channels together. Bins where any of the three is NaN drop out of both likelihoods.
double bits_per_spike(const Series& counts, const Series& rates, const Series& reference);

/// The rates [channel] at every trial and time.
Series constant_rates(std::int64_t trials, std::int64_t times, std::span<const double> rates);

}  // namespace rankflow::analysis
