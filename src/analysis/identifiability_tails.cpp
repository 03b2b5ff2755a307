#include "analysis/identifiability_tails.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace rankflow::analysis {
namespace {

constexpr double normal_975 = 1.959963984540054;

/// Quantile of Gamma(k, 1) by Wilson & Hilferty 1931; right to 1e-4 for k >= 20.
double gamma_quantile(double k, double z) {
  const double root = 1 - 1 / (9 * k) + z / (3 * std::sqrt(k));
  return k * root * root * root;
}

/// Asymptotic variance of the moment estimator, times k (Dekkers et al. 1989, theorem 3.1).
double moment_variance(double shape) {
  if (shape >= 0) return 1 + shape * shape;
  const double a = 1 - shape;
  const double b = 1 - 2 * shape;
  const double c = 1 - 3 * shape;
  return a * a * b * (4 - 8 * b / c + (5 - 11 * shape) * b / (c * (1 - 4 * shape)));
}

/// Mean of the exceedances' log ratios to the threshold, and of their squares.
struct LogMoments {
  double first = 0, second = 0;
};

LogMoments log_moments(std::span<const double> largest, std::int64_t k) {
  LogMoments moments;
  const double threshold = largest[static_cast<std::size_t>(k)];
  for (std::int64_t i = 0; i < k; ++i) {
    const double ratio = std::log(largest[static_cast<std::size_t>(i)] / threshold);
    moments.first += ratio / static_cast<double>(k);
    moments.second += ratio * ratio / static_cast<double>(k);
  }
  return moments;
}

}  // namespace

std::string name_of(TailKind kind) {
  return kind == TailKind::heavy ? "heavy" : kind == TailKind::light ? "light" : "undecided";
}

double TailEstimate::index_at_least() const {
  return shape_upper > 0 ? 1 / shape_upper : std::numeric_limits<double>::infinity();
}

std::int64_t tail_exceedances(std::int64_t values) {
  return static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(values))));
}

TailEstimate estimate_tail(std::span<const double> largest, std::int64_t values) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  TailEstimate tail{.values = values, .index = none, .lower = none, .upper = none};
  tail.shape = tail.shape_lower = tail.shape_upper = none;
  const auto k = tail_exceedances(values);
  if (values < least_tail_values || std::ssize(largest) <= k) return tail;
  tail.threshold = largest[static_cast<std::size_t>(k)];
  // Equal magnitudes have no spacing from which a tail could be told: constants, or values on a bound.
  if (!(tail.threshold > 0) || !(largest[static_cast<std::size_t>(k / 2)] > tail.threshold)) return tail;
  const auto moments = log_moments(largest, k);
  const auto count = static_cast<double>(k);
  tail.exceedances = k;
  tail.index = 1 / moments.first;
  // k log ratios of a power tail sum to Gamma(k) / index.
  tail.lower = gamma_quantile(count, -normal_975) / (count * moments.first);
  tail.upper = gamma_quantile(count, normal_975) / (count * moments.first);
  tail.shape = moments.first + 1 - 0.5 / (1 - moments.first * moments.first / moments.second);
  const double width = normal_975 * std::sqrt(moment_variance(tail.shape) / count);
  tail.shape_lower = tail.shape - width;
  tail.shape_upper = tail.shape + width;
  tail.kind = tail.shape_lower > 0 ? TailKind::heavy : TailKind::light;
  return tail;
}

std::vector<double> largest_magnitudes(std::span<const double> local, std::int64_t count,
                                       const parallel::Communicator& comm) {
  std::vector<double> mine(local.size());
  std::transform(local.begin(), local.end(), mine.begin(), [](double value) { return std::abs(value); });
  const auto keep = std::min<std::ptrdiff_t>(count, std::ssize(mine));
  std::partial_sort(mine.begin(), mine.begin() + keep, mine.end(), std::greater<>());
  mine.resize(static_cast<std::size_t>(keep));
  const auto counts = comm.all_gather(static_cast<std::int64_t>(keep));
  std::int64_t total = 0;
  for (const auto each : counts) total += each;
  std::vector<double> all(static_cast<std::size_t>(total));
  comm.all_gather(std::span<const double>(mine), std::span(all), counts);
  std::sort(all.begin(), all.end(), std::greater<>());
  all.resize(static_cast<std::size_t>(std::min(count, total)));
  return all;
}

TailEstimate estimate_tail(std::span<const double> local, std::int64_t values, const parallel::Communicator& comm) {
  return estimate_tail(largest_magnitudes(local, tail_exceedances(values) + 1, comm), values);
}

}  // namespace rankflow::analysis
