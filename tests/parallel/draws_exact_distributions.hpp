#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

/// Exact distribution functions and the p-values of two goodness-of-fit tests.
namespace rankflow::parallel::exact {

/// Regularised upper incomplete gamma function Q(a, x): series below a + 1, Lentz's continued fraction above.
inline double upper_gamma(double a, double x) {
  if (x <= 0.0) return 1.0;
  const double scale = std::exp(a * std::log(x) - x - std::lgamma(a));
  if (x < a + 1.0) {
    double term = 1.0 / a;
    double sum = term;
    for (double n = a + 1.0; term > sum * 1e-17; n += 1.0) {
      term *= x / n;
      sum += term;
    }
    return 1.0 - scale * sum;
  }
  double b = x + 1.0 - a;
  double c = 1e300;
  double d = 1.0 / b;
  double value = d;
  for (double i = 1.0, change = 0.0; std::abs(change - 1.0) > 1e-15 && i < 1e6; i += 1.0) {
    const double an = -i * (i - a);
    b += 2.0;
    d = 1.0 / (an * d + b);
    c = b + an / c;
    change = d * c;
    value *= change;
  }
  return scale * value;
}

inline double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}
inline double gamma_cdf(double shape, double x) {
  return 1.0 - upper_gamma(shape, x);
}
inline double chi_square_p_value(double statistic, double degrees) {
  return upper_gamma(degrees / 2.0, statistic / 2.0);
}

/// Asymptotic p-value of the Kolmogorov-Smirnov distance between `sample` and `cdf`.
template <class T, class Cdf>
double kolmogorov_p_value(std::vector<T> sample, Cdf cdf) {
  std::sort(sample.begin(), sample.end());
  const auto n = static_cast<double>(sample.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double f = cdf(static_cast<double>(sample[i]));
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, f - rank / n, (rank + 1.0) / n - f});
  }
  const double lambda = distance * std::sqrt(n);
  if (lambda < 0.3) return 1.0;  // the series converges slowly there; 1 − p is below 1e-5
  double p = 0.0;
  for (int k = 1; k <= 100; ++k) p += (k % 2 == 1 ? 2.0 : -2.0) * std::exp(-2.0 * k * k * lambda * lambda);
  return p;
}

/// p-value of Pearson's chi-square for observed and expected numbers, cells pooled from the left until each
/// expects at least 10.
inline double chi_square_p_value(const std::vector<double>& observed, const std::vector<double>& expected) {
  double statistic = 0.0;
  double cells = 0.0;
  double seen = 0.0;
  double due = 0.0;
  double rest = 0.0;
  for (const double e : expected) rest += e;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    seen += observed[i];
    due += expected[i];
    rest -= expected[i];
    const bool last = i + 1 == expected.size();
    if (!last && (due < 10.0 || rest < 10.0)) continue;
    statistic += (seen - due) * (seen - due) / due;
    cells += 1.0;
    seen = due = 0.0;
  }
  return chi_square_p_value(statistic, cells - 1.0);
}

/// p-value of counts against the Poisson distribution of the given mean. Cells reach 8 standard deviations;
/// the outer ones take all that lies beyond.
inline double poisson_p_value(const std::vector<std::int64_t>& counts, double mean) {
  const double reach = 8.0 * std::sqrt(mean) + 10.0;
  const auto low = static_cast<std::int64_t>(std::max(0.0, mean - reach));
  const auto high = static_cast<std::int64_t>(mean + reach);
  const auto cells = static_cast<std::size_t>(high - low + 1);
  std::vector<double> observed(cells), expected(cells);
  for (const std::int64_t count : counts) observed[static_cast<std::size_t>(std::clamp(count, low, high) - low)] += 1.0;
  for (std::size_t i = 0; i < cells; ++i) {
    const auto k = static_cast<double>(low) + static_cast<double>(i);
    expected[i] = static_cast<double>(counts.size()) * std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0));
  }
  return chi_square_p_value(observed, expected);
}

}  // namespace rankflow::parallel::exact
