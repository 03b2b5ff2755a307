#include "analysis/power_spectrum.hpp"

#include <complex>
#include <numbers>

#include <gtest/gtest.h>

#include "analysis/analysis_support.hpp"
#include "analysis/fourier.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

std::vector<double> direct_power(const std::vector<double>& x) {
  std::vector<double> power;
  const auto n = x.size();
  for (std::size_t k = 0; k <= n / 2; ++k) {
    std::complex<long double> sum = 0;
    for (std::size_t t = 0; t < n; ++t)
      sum += std::polar<long double>(1.0L, -2 * std::numbers::pi_v<long double> * static_cast<long double>(k * t % n) /
                                               static_cast<long double>(n)) *
             static_cast<long double>(x[t]);
    power.push_back(static_cast<double>(std::norm(sum)));
  }
  return power;
}

TEST(Fourier, PowerIsThatOfTheDefinition) {
  // Small factors, odd lengths, and lengths that go by the chirp (primes and 4 · 241).
  for (const std::int64_t length : {1, 2, 3, 8, 15, 120, 61, 67, 241, 964, 1009}) {
    const auto x = normals(static_cast<std::size_t>(length), 1);
    const auto expected = direct_power(x);
    Fourier fourier(length);
    ASSERT_EQ(fourier.bins(), static_cast<std::int64_t>(expected.size()));
    std::vector<double> found(expected.size());
    for (int repetition = 0; repetition < 2; ++repetition) {
      fourier.power(x, found);
      // Errors of a transform are a few log2(n) roundings of the norm, which is about sqrt(n).
      const double amplitude = 40 * std::log2(static_cast<double>(length) + 1) * 0x1p-53 * std::sqrt(double(length));
      for (std::size_t k = 0; k < found.size(); ++k)
        EXPECT_NEAR(std::sqrt(found[k]), std::sqrt(expected[k]), amplitude) << length << " " << k;
    }
  }
  EXPECT_THROW(Fourier(0), InternalError);
}

/// Σ of sines of whole cycles in `length` steps: power only at those bins.
Series sines(std::int64_t length, const std::vector<std::pair<int, double>>& cycles_and_powers) {
  Series series{1, length, 1};
  for (std::int64_t t = 0; t < length; ++t) {
    double sum = 5;
    for (const auto& [cycles, power] : cycles_and_powers)
      sum += std::sqrt(power) *
             std::sin(2 * std::numbers::pi * static_cast<double>(cycles * t) / static_cast<double>(length));
    series.values.push_back(sum);
  }
  return series;
}

double distance(const Series& a, const Series& b, double smoothing) {
  return hellinger_distances(power_spectrum(a, smoothing), power_spectrum(b, smoothing)).at(0);
}

TEST(PowerSpectrum, OfSinesIsTheirPower) {
  const auto found = power_spectrum(sines(200, {{10, 3.0}, {40, 1.0}}), 0);
  ASSERT_EQ(found.bins, 100);
  EXPECT_NEAR(found.density[10], 0.75, 1e-12);
  EXPECT_NEAR(found.density[40], 0.25, 1e-12);
  EXPECT_NEAR(found.density[0], 0.0, 1e-12);
}

TEST(HellingerDistance, OfTwoLinesIsTheClosedForm) {
  const double a = 0.75, b = 0.4;
  const double expected = std::sqrt(1 - std::sqrt(a * b) - std::sqrt((1 - a) * (1 - b)));
  const auto one = sines(200, {{10, a}, {40, 1 - a}}), other = sines(200, {{10, b}, {40, 1 - b}});
  EXPECT_NEAR(distance(one, other, 0), expected, 1e-12);
  EXPECT_NEAR(distance(one, sines(200, {{11, 1.0}}), 0), 1.0, 1e-7);
  // sqrt(1 − overlap) turns a rounding of 1e-15 into 3e-8.
  EXPECT_NEAR(distance(one, one, 0), 0.0, 1e-7);
}

TEST(HellingerDistance, OfSmoothedLinesIsThatOfGaussians) {
  // Gaussians of deviation s, d apart: overlap exp(−d²/8s²). Cutting at 4 s costs 2 Q(4) = 6.3e-5 of the mass, and of
  // the overlap at most that much of its square root, twice.
  const double s = 20, d = 30;
  const double expected = std::sqrt(1 - std::exp(-d * d / (8 * s * s)));
  const double found = distance(sines(4000, {{500, 1.0}}), sines(4000, {{530, 1.0}}), s);
  EXPECT_NEAR(found, expected, 2 * std::sqrt(6.3e-5) / (2 * expected));
  EXPECT_GT(std::abs(found - distance(sines(4000, {{500, 1.0}}), sines(4000, {{530, 1.0}}), 15)), 0.05) << "control";
}

TEST(PowerSpectrum, LeavesOutTrialsThatAreNotComplete) {
  auto series = normal_series(3, 50, 2, 1);
  auto two = series;
  two.trials = 2;
  two.values.resize(200);
  series.values[series.row(2, 10)] = missing;
  const auto found = power_spectrum(series, 2), expected = power_spectrum(two, 2);
  EXPECT_EQ(found.trials, (std::vector<std::int64_t>{2, 3}));
  for (std::size_t bin = 0; bin < 25; ++bin) EXPECT_EQ(found.density[bin], expected.density[bin]);
  EXPECT_NE(found.density[25], expected.density[25]) << "control: the other channel has all trials";
}

TEST(PowerSpectrum, OfAConstantChannelIsNone) {
  const auto found = power_spectrum(single(std::vector<double>(20, 0.1)), 1);
  EXPECT_EQ(found.trials[0], 0);
  EXPECT_TRUE(std::isnan(found.density[0]));
  EXPECT_TRUE(std::isnan(hellinger_distances(found, power_spectrum(normal_series(1, 20, 1, 1), 1))[0]));
  EXPECT_THROW(hellinger_distances(found, power_spectrum(normal_series(1, 21, 1, 1), 1)), InternalError);
}

}  // namespace
}  // namespace rankflow::analysis
