#include "parallel/draws_poisson_pmf.hpp"

#include <cmath>
#include <numbers>

namespace rankflow::parallel {
namespace {

/// x log(x/m) + m − x.
double deviance(double x, double m) {
  const double difference = x - m;
  if (std::abs(difference) >= 0.1 * (x + m)) return x * std::log(x / m) - difference;
  const double v = difference / (x + m);
  double sum = difference * v;
  double term = 2.0 * x * v;
  for (double divisor = 3.0;; divisor += 2.0) {
    term *= v * v;
    const double next = sum + term / divisor;
    if (next == sum) return sum;
    sum = next;
  }
}

/// log(x!) − log(Stirling's formula), for x ≥ 10.
double stirling_error(double x) {
  const double x2 = x * x;
  return (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * x2)) / x2) / x2) / x;
}

double log_small_factorial(double x) {
  double product = 1.0;
  for (double factor = 2.0; factor <= x; factor += 1.0) product *= factor;
  return std::log(product);
}

}  // namespace

double log_poisson_probability(double count, double mean) {
  if (count < 10.0) return count * std::log(mean) - mean - log_small_factorial(count);
  return -stirling_error(count) - deviance(count, mean) - 0.5 * std::log(2.0 * std::numbers::pi * count);
}

}  // namespace rankflow::parallel
