#include "analysis/prediction.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/smoothing.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

RSquared compare(const Series& observed, std::span<const double> predicted) {
  Series compared = observed;
  for (std::size_t i = 0; i < predicted.size(); ++i)
    if (std::isnan(predicted[i])) compared.values[i] = std::numeric_limits<double>::quiet_NaN();
  const auto mean = moments(compared).mean;
  const auto width = static_cast<std::size_t>(observed.channels);
  std::vector<double> unexplained(width, 0.0), total(width, 0.0);
  RSquared result;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const double value = compared.values[i];
    if (std::isnan(value)) continue;
    ++result.samples;
    const double error = value - predicted[i], deviation = value - mean[i % width];
    unexplained[i % width] += error * error;
    total[i % width] += deviation * deviation;
  }
  const auto share = [](double rest, double whole) {
    return whole > 0 ? 1 - rest / whole : std::numeric_limits<double>::quiet_NaN();
  };
  for (std::size_t d = 0; d < width; ++d) result.channels.push_back(share(unexplained[d], total[d]));
  result.all = share(std::accumulate(unexplained.begin(), unexplained.end(), 0.0),
                     std::accumulate(total.begin(), total.end(), 0.0));
  return result;
}

}  // namespace

RSquared r_squared(const Series& observed, const Series& predicted) {
  if (observed.values.size() != predicted.values.size() || observed.channels != predicted.channels)
    throw InternalError("R² of {} values against {}", predicted.values.size(), observed.values.size());
  return compare(observed, predicted.values);
}

std::vector<RSquared> forecast_r_squared(const Series& observed, std::span<const double> forecasts) {
  const auto length = observed.values.size();
  if (length == 0 || forecasts.size() % length != 0)
    throw InternalError("{} forecasts of a series of {} values", forecasts.size(), length);
  std::vector<RSquared> results;
  for (std::size_t first = 0; first < forecasts.size(); first += length)
    results.push_back(compare(observed, forecasts.subspan(first, length)));
  return results;
}

}  // namespace rankflow::analysis
