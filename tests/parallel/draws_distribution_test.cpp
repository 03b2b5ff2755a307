// Seeds are fixed, so these tests give the same verdict every time; the thresholds (p < 1e-6, 5 standard errors)
// say how unlikely a correct generator would have been to miss them. Each has a wrong distribution to reject.
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "parallel/draws.hpp"
#include "parallel/draws_exact_distributions.hpp"
#include "parallel/draws_poisson_pmf.hpp"

namespace rankflow::parallel {
namespace {

constexpr std::size_t samples = 200000;
constexpr double least_p = 1e-6;
constexpr double standard_errors = 5.0;
const Stream test_stream(20240601, Purpose::test);

template <class T, class Fill>
std::vector<T> sample(Fill fill, std::size_t count = samples) {
  std::vector<T> out(count);
  fill(std::span<T>(out));
  return out;
}

/// The mean of f(x) over the sample is `expected` within 5 standard errors; `variance` is that of one f(x).
template <class T, class Function>
void expect_mean(const std::vector<T>& values, Function f, double expected, double variance, const char* what) {
  double sum = 0.0;
  for (const T x : values) sum += f(static_cast<double>(x));
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, expected, standard_errors * std::sqrt(variance / n)) << what;
}

template <class T>
class RealDraws : public ::testing::Test {};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(RealDraws, Reals);

TYPED_TEST(RealDraws, UniformNumbersAreUniform) {
  const auto x = sample<TypeParam>([](auto out) { uniform(test_stream, {}, 0, out); });
  EXPECT_GT(exact::kolmogorov_p_value(x, [](double v) { return v; }), least_p);
  EXPECT_LT(exact::kolmogorov_p_value(x, [](double v) { return std::pow(v, 1.02); }), least_p);
  expect_mean(
      x, [](double v) { return v; }, 0.5, 1.0 / 12.0, "mean");
  expect_mean(
      x, [](double v) { return v * v; }, 1.0 / 3.0, 1.0 / 5.0 - 1.0 / 9.0, "second moment");
}

TYPED_TEST(RealDraws, NormalNumbersAreNormal) {
  const auto x = sample<TypeParam>([](auto out) { normal(test_stream, {}, 0, out); });
  EXPECT_GT(exact::kolmogorov_p_value(x, exact::normal_cdf), least_p);
  EXPECT_LT(exact::kolmogorov_p_value(x, [](double v) { return exact::normal_cdf(v / 1.03); }), least_p);
  expect_mean(
      x, [](double v) { return v; }, 0.0, 1.0, "mean");
  expect_mean(
      x, [](double v) { return v * v; }, 1.0, 2.0, "variance");
  expect_mean(
      x, [](double v) { return v * v * v; }, 0.0, 15.0, "third moment");
  expect_mean(
      x, [](double v) { return v * v * v * v; }, 3.0, 96.0, "fourth moment");
}

TYPED_TEST(RealDraws, NormalNumbersHaveTheRightTails) {
  const auto x = sample<TypeParam>([](auto out) { normal(test_stream, {}, 0, out); }, 4000000);
  const double p = exact::normal_cdf(-4.0);
  expect_mean(
      x, [](double v) { return v > 4.0 ? 1.0 : 0.0; }, p, p, "upper tail");
  expect_mean(
      x, [](double v) { return v < -4.0 ? 1.0 : 0.0; }, p, p, "lower tail");
}

TYPED_TEST(RealDraws, PairsOfOneBoxMullerPointAreIndependent) {
  const auto x = sample<TypeParam>([](auto out) { normal(test_stream, {}, 0, out); });
  constexpr std::size_t tile = 256 / sizeof(TypeParam);
  std::vector<double> product, square_product;
  for (std::size_t i = 0; i + tile <= x.size(); ++i) {
    if (i % tile >= tile / 2) continue;
    const double a = x[i];
    const double b = x[i + tile / 2];
    product.push_back(a * b);
    square_product.push_back((a * a - 1.0) * (b * b - 1.0));
  }
  const auto itself = [](double v) { return v; };
  expect_mean(product, itself, 0.0, 1.0, "correlation");
  expect_mean(square_product, itself, 0.0, 4.0, "correlation of squares");
}

TYPED_TEST(RealDraws, ExponentialNumbersAreExponential) {
  const auto x = sample<TypeParam>([](auto out) { exponential(test_stream, {}, 0, out); });
  const auto cdf = [](double v) { return -std::expm1(-v); };
  EXPECT_GT(exact::kolmogorov_p_value(x, cdf), least_p);
  EXPECT_LT(exact::kolmogorov_p_value(x, [&](double v) { return cdf(v / 1.03); }), least_p);
  expect_mean(
      x, [](double v) { return v; }, 1.0, 1.0, "mean");
  expect_mean(
      x, [](double v) { return v * v; }, 2.0, 20.0, "second moment");
  for (const TypeParam v : x) ASSERT_GE(v, TypeParam(0));
}

TYPED_TEST(RealDraws, GammaNumbersAreGammaDistributed) {
  for (const double shape : {0.3, 1.0, 7.5}) {
    SCOPED_TRACE(shape);
    const auto narrowed = static_cast<TypeParam>(shape);
    const auto x = sample<TypeParam>([&](auto out) { gamma(test_stream, {}, 0, narrowed, out); });
    EXPECT_GT(exact::kolmogorov_p_value(x, [&](double v) { return exact::gamma_cdf(shape, v); }), least_p);
    EXPECT_LT(exact::kolmogorov_p_value(x, [&](double v) { return exact::gamma_cdf(1.04 * shape, v); }), least_p);
    expect_mean(
        x, [](double v) { return v; }, shape, shape, "mean");
    const double second = shape * (shape + 1.0);
    const double fourth = second * (shape + 2.0) * (shape + 3.0);
    expect_mean(
        x, [](double v) { return v * v; }, second, fourth - second * second, "second moment");
  }
}

std::vector<std::int64_t> poisson_sample(double mean) {
  const std::vector<double> means(samples, mean);
  return sample<std::int64_t>([&](auto out) { poisson<double>(test_stream, {}, 0, means, out); });
}

TEST(PoissonDraws, HaveThePoissonProbabilities) {
  for (const double mean : {0.1, 3.0, 9.9, 10.1, 12.0, 80.0, 1e4}) {
    SCOPED_TRACE(mean);
    const auto counts = poisson_sample(mean);
    EXPECT_GT(exact::poisson_p_value(counts, mean), least_p);
    // A mean 20 standard errors away adds 400 to a chi-square whose own spread is below sqrt(2 * 820) = 40.
    const double wrong = mean + 20.0 * std::sqrt(mean / static_cast<double>(samples));
    EXPECT_LT(exact::poisson_p_value(counts, wrong), least_p);
    expect_mean(
        counts, [](double k) { return k; }, mean, mean, "mean");
    expect_mean(
        counts, [&](double k) { return (k - mean) * (k - mean); }, mean, mean + 2.0 * mean * mean, "variance");
  }
}

TEST(PoissonDraws, KeepMeanAndVarianceWhereCountsFillADouble) {
  for (const double mean : {1e9, 1e15}) {
    SCOPED_TRACE(mean);
    const auto counts = poisson_sample(mean);
    const double scale = std::sqrt(mean);
    expect_mean(
        counts, [&](double k) { return (k - mean) / scale; }, 0.0, 1.0, "mean");
    expect_mean(
        counts, [&](double k) { return (k - mean) * (k - mean) / mean; }, 1.0, 2.0, "variance");
    std::vector<double> standardised;
    for (const std::int64_t k : counts) standardised.push_back((static_cast<double>(k) - mean) / scale);
    // At these means the distance of Poisson to normal is below 1/(6 sqrt(2 pi mean)) ~ 2e-6.
    EXPECT_GT(exact::kolmogorov_p_value(standardised, exact::normal_cdf), least_p);
  }
}

TEST(PoissonProbability, AgreesWithTheDirectFormula) {
  for (const double mean : {10.0, 33.3, 1e3}) {
    double total = 0.0;
    for (double k = 0.0; k < 3.0 * mean + 60.0; k += 1.0) {
      const double direct = k * std::log(mean) - mean - std::lgamma(k + 1.0);
      const double fast = log_poisson_probability(k, mean);
      // The direct formula subtracts numbers as large as k log k: that is its rounding.
      EXPECT_NEAR(fast, direct, 1e-11 + 4e-16 * (k + 1.0) * std::log(mean + k + 1.0)) << k << " at mean " << mean;
      total += std::exp(fast);
    }
    EXPECT_NEAR(total, 1.0, 1e-11);
  }
}

TEST(BelowDraws, HitEveryIntegerEquallyOften) {
  constexpr std::uint64_t bound = 37;
  const auto x = sample<std::uint64_t>([](auto out) { below(test_stream, {}, 0, bound, out); });
  std::vector<double> observed(bound);
  std::vector<double> skewed(bound, static_cast<double>(samples) / bound);
  const std::vector<double> expected = skewed;
  skewed[0] *= 1.2;
  skewed[1] *= 0.8;
  for (const std::uint64_t v : x) observed.at(v) += 1.0;
  EXPECT_GT(exact::chi_square_p_value(observed, expected), least_p);
  EXPECT_LT(exact::chi_square_p_value(observed, skewed), least_p);
}

TEST(RawDraws, HaveFairBits) {
  const auto x = sample<std::uint32_t>([](auto out) { raw(test_stream, {}, 0, out); });
  for (int bit = 0; bit < 32; ++bit) {
    double ones = 0.0;
    for (const std::uint32_t word : x) ones += (word >> bit) & 1u;
    EXPECT_NEAR(ones / samples, 0.5, standard_errors * std::sqrt(0.25 / samples)) << "bit " << bit;
  }
}

std::vector<double> normals_of(const Stream& stream, Draw draw, std::uint64_t first_item = 0) {
  return sample<double>([&](auto out) { normal(stream, draw, first_item, out); });
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  double xy = 0.0, xx = 0.0, yy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += x[i] * y[i];
    xx += x[i] * x[i];
    yy += y[i] * y[i];
  }
  return xy / std::sqrt(xx * yy);
}

TEST(IndependentDraws, NothingInTheIdentityOfANumberCorrelates) {
  const Draw draw{.trial = 1, .step = 1, .index = 1};
  const auto reference = normals_of(Stream(1, Purpose::neuron_noise), draw);
  EXPECT_DOUBLE_EQ(correlation(reference, normals_of(Stream(1, Purpose::neuron_noise), draw)), 1.0);
  const auto expect_none = [&](const char* what, const Stream& stream, Draw other, std::uint64_t first_item) {
    EXPECT_LT(std::abs(correlation(reference, normals_of(stream, other, first_item))),
              standard_errors / std::sqrt(samples))
        << what;
  };
  const Stream same(1, Purpose::neuron_noise);
  for (const Purpose purpose : all_purposes) {
    if (purpose != Purpose::neuron_noise) expect_none("purpose", Stream(1, purpose), draw, 0);
  }
  expect_none("seed", Stream(2, Purpose::neuron_noise), draw, 0);
  expect_none("high bit of the seed", Stream(1 + (std::uint64_t{1} << 63), Purpose::neuron_noise), draw, 0);
  expect_none("trial", same, {.trial = 2, .step = 1, .index = 1}, 0);
  expect_none("step", same, {.trial = 1, .step = 2, .index = 1}, 0);
  expect_none("index", same, {.trial = 1, .step = 1, .index = 2}, 0);
  expect_none("trial and step exchanged", same, {.trial = 1, .step = 0x10001, .index = 0}, 0);
  for (const std::uint64_t shift : {1u, 2u, 15u, 16u, 17u, 32u, 64u}) expect_none("item", same, draw, shift);
}

TEST(IndependentDraws, RejectionRoundsDoNotTouchTheNextIndex) {
  // Shape 0.3 uses the boost and at least two rounds; all of them must be its own.
  const auto centred = [](std::uint32_t index) {
    auto x = sample<double>([&](auto out) { gamma(test_stream, {.index = index}, 0, 0.3, out); });
    for (double& v : x) v = std::log(v);
    double mean = 0.0;
    for (const double v : x) mean += v / static_cast<double>(x.size());
    for (double& v : x) v -= mean;
    return x;
  };
  const auto reference = centred(0);
  EXPECT_DOUBLE_EQ(correlation(reference, centred(0)), 1.0);
  for (const std::uint32_t index : {1u, 2u, 3u}) {
    EXPECT_LT(std::abs(correlation(reference, centred(index))), standard_errors / std::sqrt(samples)) << index;
  }
}

}  // namespace
}  // namespace rankflow::parallel
