#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace rankflow::smc::testing {

/// Mean of independent values with its standard error.
struct Estimate {
  double mean = 0;
  double error = 0;
  double deviation = 0;  ///< of one value

  /// How many standard errors the mean lies from `expected`.
  double z(double expected) const { return (mean - expected) / error; }
};

inline Estimate estimate(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  Estimate result;
  for (const double value : values) result.mean += value / count;
  for (const double value : values) result.deviation += (value - result.mean) * (value - result.mean) / (count - 1);
  result.deviation = std::sqrt(result.deviation);
  result.error = result.deviation / std::sqrt(count);
  return result;
}

/// Largest |z| that chance may give: below 7e-5 of all tests of a true hypothesis lie beyond.
inline constexpr double z_limit = 4.0;

/// Limit for the largest of n |z| of true hypotheses, exceeded once in 10^4 times.
inline double limit_of_largest(std::size_t n) {
  double low = 3, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (static_cast<double>(n) * std::erfc(middle / std::sqrt(2.0)) > 1e-4 ? low : high) = middle;
  }
  return high;
}

/// Whether the means of many samples are as expected: the largest of all |z|, and how many were looked at.
class Comparison {
 public:
  /// values: independent, of equal distribution.
  void add(std::span<const double> values, double expected) {
    const double z = std::abs(estimate(values).z(expected));
    if (!(z <= largest_)) largest_ = z;
    ++count_;
  }
  double largest() const { return largest_; }
  double limit() const { return limit_of_largest(count_); }
  bool agrees() const { return count_ > 0 && largest_ < limit(); }

 private:
  double largest_ = 0;
  std::size_t count_ = 0;
};

/// Total log-likelihood of each trial from log_likelihood [B, T].
inline std::vector<double> totals(std::span<const double> log_likelihood, std::int64_t trials) {
  const std::size_t times = log_likelihood.size() / static_cast<std::size_t>(trials);
  std::vector<double> sums(static_cast<std::size_t>(trials), 0.0);
  for (std::size_t i = 0; i < log_likelihood.size(); ++i) sums[i / times] += log_likelihood[i];
  return sums;
}

}  // namespace rankflow::smc::testing
