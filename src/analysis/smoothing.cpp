#include "analysis/smoothing.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

/// Index of the sample that stands at position i of a series of n, beyond its ends too.
std::int64_t reflected(std::int64_t i, std::int64_t n, Edge edge) {
  if (n == 1) return 0;
  const std::int64_t period = edge == Edge::mirror ? 2 * n - 2 : 2 * n;
  const std::int64_t place = ((i % period) + period) % period;
  if (place < n) return place;
  return edge == Edge::mirror ? period - place : period - 1 - place;
}

}  // namespace

std::vector<double> hann_window(int points) {
  if (points < 3 || points % 2 == 0) throw InternalError("a Hann window of {} points", points);
  std::vector<double> window(static_cast<std::size_t>(points));
  for (int k = 0; k < points; ++k)
    window[static_cast<std::size_t>(k)] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * k / (points - 1));
  return window;
}

std::vector<double> gaussian_window(double sd) {
  const auto half = static_cast<int>(std::lround(4 * sd));
  std::vector<double> window;
  for (int k = -half; k <= half; ++k) window.push_back(half == 0 ? 1.0 : std::exp(-0.5 * (k / sd) * (k / sd)));
  const double total = std::accumulate(window.begin(), window.end(), 0.0);
  for (auto& weight : window) weight /= total;
  return window;
}

std::vector<double> convolve(std::span<const double> x, std::span<const double> kernel, Edge edge) {
  const auto n = static_cast<std::int64_t>(x.size());
  const auto half = static_cast<std::int64_t>(kernel.size() / 2);
  const double whole = std::accumulate(kernel.begin(), kernel.end(), 0.0);
  std::vector<double> result(x.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::int64_t t = 0; t < n; ++t) {
    if (std::isnan(x[static_cast<std::size_t>(t)])) continue;
    double sum = 0, used = 0;
    for (std::size_t k = 0; k < kernel.size(); ++k) {
      const std::int64_t place = t + static_cast<std::int64_t>(k) - half;
      const bool inside = place >= 0 && place < n;
      const double value = x[static_cast<std::size_t>(inside ? place : reflected(place, n, edge))];
      if (std::isnan(value)) continue;
      sum += kernel[k] * value;
      used += kernel[k];
    }
    result[static_cast<std::size_t>(t)] = used == whole ? sum : sum * (whole / used);
  }
  return result;
}

Series smooth(const Series& series, std::span<const double> kernel, Edge edge) {
  Series result = series;
  for (std::int64_t trial = 0; trial < series.trials; ++trial)
    for (std::int64_t channel = 0; channel < series.channels; ++channel) {
      const auto smoothed = convolve(channel_of(series, trial, channel), kernel, edge);
      for (std::int64_t time = 0; time < series.times; ++time)
        result.values[series.row(trial, time) + static_cast<std::size_t>(channel)] =
            smoothed[static_cast<std::size_t>(time)];
    }
  return result;
}

bool Moments::varies(std::size_t channel) const {
  return sd[channel] > 1e-13 * std::abs(mean[channel]);
}

Moments moments(const Series& series) {
  const auto width = static_cast<std::size_t>(series.channels);
  std::vector<double> count(width, 0.0);
  Moments result{std::vector<double>(width, 0.0), std::vector<double>(width, 0.0)};
  const auto over_observed = [&](auto&& action) {
    for (std::size_t i = 0; i < series.values.size(); ++i)
      if (!std::isnan(series.values[i])) action(i % width, series.values[i]);
  };
  over_observed([&](std::size_t channel, double value) {
    count[channel] += 1;
    result.mean[channel] += value;
  });
  for (std::size_t channel = 0; channel < width; ++channel) result.mean[channel] /= count[channel];
  over_observed([&](std::size_t channel, double value) {
    const double deviation = value - result.mean[channel];
    result.sd[channel] += deviation * deviation;
  });
  for (std::size_t channel = 0; channel < width; ++channel)
    result.sd[channel] = std::sqrt(result.sd[channel] / count[channel]);
  return result;
}

Series standardise(Series series, const Moments& moments) {
  const auto width = static_cast<std::size_t>(series.channels);
  for (std::size_t i = 0; i < series.values.size(); ++i)
    series.values[i] = (series.values[i] - moments.mean[i % width]) / moments.sd[i % width];
  return series;
}

}  // namespace rankflow::analysis
