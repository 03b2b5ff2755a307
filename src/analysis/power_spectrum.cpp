#include "analysis/power_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "analysis/fourier.hpp"
#include "analysis/smoothing.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

/// Adds the power of one trial's channel; false when it is not complete or does not vary.
bool add_power(const Series& series, std::int64_t trial, std::int64_t channel, Fourier& fourier,
               std::vector<double>& buffer, std::vector<double>& sum) {
  const Series single{1, series.times, 1, channel_of(series, trial, channel)};
  if (std::any_of(single.values.begin(), single.values.end(), [](double x) { return std::isnan(x); })) return false;
  const auto scale = moments(single);
  if (!scale.varies(0)) return false;
  fourier.power(standardise(single, scale).values, buffer);
  std::transform(sum.begin(), sum.end(), buffer.begin(), sum.begin(), std::plus<>());
  return true;
}

}  // namespace

PowerSpectrum power_spectrum(const Series& series, double smoothing) {
  Fourier fourier(series.times);
  PowerSpectrum result{.length = series.times, .bins = fourier.bins() - 1, .channels = series.channels};
  std::vector<double> power(static_cast<std::size_t>(fourier.bins()));
  const auto kernel = gaussian_window(smoothing);
  for (std::int64_t channel = 0; channel < series.channels; ++channel) {
    std::vector<double> sum(power.size(), 0.0);
    std::int64_t used = 0;
    for (std::int64_t trial = 0; trial < series.trials; ++trial)
      used += add_power(series, trial, channel, fourier, power, sum) ? 1 : 0;
    result.trials.push_back(used);
    auto smoothed = convolve(sum, kernel, Edge::repeat);
    smoothed.pop_back();
    // The mean over trials needs no division: the sum over bins becomes 1. Without a trial 0/0 gives NaN.
    const double total = std::accumulate(smoothed.begin(), smoothed.end(), 0.0);
    for (const double value : smoothed) result.density.push_back(value / total);
  }
  return result;
}

std::vector<double> hellinger_distances(const PowerSpectrum& p, const PowerSpectrum& q) {
  if (p.length != q.length || p.channels != q.channels)
    throw InternalError("spectra of {} and {} times, {} and {} channels", p.length, q.length, p.channels, q.channels);
  std::vector<double> distances;
  for (std::int64_t channel = 0; channel < p.channels; ++channel) {
    double overlap = 0;
    for (std::int64_t bin = 0; bin < p.bins; ++bin) {
      const auto place = static_cast<std::size_t>(channel * p.bins + bin);
      overlap += std::sqrt(p.density[place] * q.density[place]);
    }
    // Rounding may lift the overlap of equal spectra above 1. NaN stays NaN.
    distances.push_back(overlap > 1 ? 0.0 : std::sqrt(1 - overlap));
  }
  return distances;
}

}  // namespace rankflow::analysis
