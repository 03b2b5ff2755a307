#include "analysis/state_divergence.hpp"

#include <bit>
#include <numbers>

#include <gtest/gtest.h>

#include "analysis/analysis_support.hpp"
#include "analysis/kernel_density.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

constexpr auto group = KernelDensity::group;

/// Term by term, as the definition says.
double direct_log_density(std::span<const double> centres, std::span<const double> point, double bandwidth) {
  const std::size_t dimension = point.size();
  long double sum = 0;
  for (std::size_t i = 0; i < centres.size(); i += dimension) {
    long double square = 0;
    for (std::size_t d = 0; d < dimension; ++d) square += std::pow(point[d] - centres[i + d], 2.0L);
    sum += std::exp(-square / (2 * bandwidth * bandwidth));
  }
  const auto count = static_cast<long double>(centres.size() / dimension);
  return static_cast<double>(std::log(sum / count) - static_cast<long double>(dimension) * std::log(bandwidth));
}

TEST(KernelDensity, EqualsTheSumOfItsKernels) {
  for (const std::int64_t dimension : {1, 3, 64}) {
    for (const std::int64_t count : {1, 511, 512, 700}) {
      const auto width = static_cast<std::size_t>(dimension);
      auto centres = normals(static_cast<std::size_t>(count) * width, 1);
      auto points = normals(static_cast<std::size_t>(group) * width, 2);
      // Far from the origin: squared norms would cancel.
      for (auto& value : centres) value += 1e4;
      for (auto& value : points) value += 1e4;
      std::array<double, group> found{};
      const double bandwidth = 1.3;
      KernelDensity(centres, dimension, bandwidth).log_density(points, found);
      for (std::size_t p = 0; p < found.size(); ++p) {
        const auto point = std::span(points).subspan(p * width, width);
        // Centring rounds coordinates by 1e4 · 2^-53, a distance |x| <= 20 by |x| D times that at most.
        EXPECT_NEAR(found[p], direct_log_density(centres, point, bandwidth), 20 * 1e4 * 0x1p-52 * double(dimension));
        EXPECT_GT(std::abs(found[p] - direct_log_density(centres, point, 1.301)), 1e-6) << "control";
      }
    }
  }
}

TEST(KernelDensity, RefusesNothingToStandOn) {
  const std::vector<double> none;
  EXPECT_THROW(KernelDensity(none, 2, 1.0), InternalError);
  EXPECT_THROW(KernelDensity(std::vector<double>{1.0}, 1, 0.0), InternalError);
}

/// Normal quantiles: their kernel density is a normal of variance sd² + h² up to O(1/n²).
Series quantiles(double mean, double sd) {
  constexpr int count = 2001;
  Series series{1, count, 1};
  for (int i = 0; i < count; ++i) {
    // Newton's method on the distribution function.
    const double wanted = (i + 0.5) / count;
    double x = 0;
    for (int step = 0; step < 60; ++step) {
      const double error = 0.5 * std::erfc(-x / std::numbers::sqrt2) - wanted;
      x -= error / (std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi) + 1e-3);
    }
    series.values.push_back(mean + sd * x);
  }
  return series;
}

TEST(StateDivergence, OfTwoGaussiansIsTheClosedForm) {
  const parallel::Communicator alone;
  const double bandwidth = 0.8, sd_p = 1.0, sd_q = 1.5, mean = 1.2;
  const double p = sd_p * sd_p + bandwidth * bandwidth, q = sd_q * sd_q + bandwidth * bandwidth;
  const double exact = 0.5 * std::log(q / p) + (p + mean * mean) / (2 * q) - 0.5;
  // log ratio = a x² + b x + c of x ~ N(0, p): variance 2 a² p² + b² p.
  const double a = 0.5 / q - 0.5 / p, b = -mean / q;
  const double spread = std::sqrt(2 * a * a * p * p + b * b * p);
  const auto found = state_divergence(quantiles(0, sd_p), quantiles(mean, sd_q),
                                      {.samples = 10000, .bandwidth = bandwidth, .seed = 3}, alone);
  const double error = spread / std::sqrt(10000.0);
  EXPECT_NEAR(found.published, exact, 4.5 * error);
  EXPECT_NEAR(found.published_error, error, 0.05 * error);
  EXPECT_EQ(found.published, found.complete);
  EXPECT_EQ(found.underflows, 0);
  EXPECT_GT(std::abs(exact - 0.5 * mean * mean / p), 9 * error) << "control: equal variances would be told apart";
}

TEST(StateDivergence, OfEqualSeriesIsZero) {
  const auto series = normal_series(1, 300, 5, 1);
  const auto found = state_divergence(series, series, {.samples = 100, .seed = 1}, parallel::Communicator{});
  EXPECT_EQ(found.complete, 0);
  EXPECT_EQ(found.complete_error, 0);
}

TEST(StateDivergence, CountsWhatUnderflowsInSinglePrecision) {
  // Points lie at x ~ N(0, 1) from the only datum; q is less than 2^-150 where (x − shift)² / 2 > 150 log 2.
  const double reach = std::sqrt(300 * std::numbers::ln2), shift = reach + 1;
  const std::int64_t samples = 5000;
  const auto found =
      state_divergence(single({0.0}), single({shift}), {.samples = samples, .seed = 5}, parallel::Communicator{});
  const double share = 0.5 * std::erfc(-1 / std::numbers::sqrt2);  // P(x < 1)
  const double sd = std::sqrt(share * (1 - share) * static_cast<double>(samples));
  EXPECT_NEAR(static_cast<double>(found.underflows), share * static_cast<double>(samples), 4.5 * sd);
  // Whole: shift²/2 with error shift / √n. Without the far ones: x > 1, whose mean is φ(1)/P(x > 1).
  EXPECT_NEAR(found.complete, shift * shift / 2, 4.5 * shift / std::sqrt(static_cast<double>(samples)));
  const double mean_beyond = std::exp(-0.5) / std::sqrt(2 * std::numbers::pi) / (1 - share);
  EXPECT_NEAR(found.published, shift * shift / 2 - shift * mean_beyond, 4.5 * found.published_error);
}

TEST(StateDivergence, LeavesOutRowsWithAMissingChannel) {
  const auto data = normal_series(2, 100, 3, 1), generated = normal_series(1, 150, 3, 2);
  auto holed = data;
  holed.times = 101;
  holed.values.insert(holed.values.begin() + 300, {0.1, missing, 0.2});
  holed.values.insert(holed.values.end(), {missing, 5.0, 0.2});
  const DivergenceOptions options{.samples = 64, .seed = 2};
  const parallel::Communicator alone;
  const auto expected = state_divergence(data, generated, options, alone).complete;
  EXPECT_EQ(state_divergence(holed, generated, options, alone).complete, expected);
  holed.values[301] = 0.3;
  EXPECT_NE(state_divergence(holed, generated, options, alone).complete, expected) << "control: a complete row counts";
}

TEST(StateDivergence, SaysWhyNothingCanBeCompared) {
  const auto data = normal_series(1, 10, 2, 1);
  auto empty = data;
  for (std::size_t i = 0; i < empty.values.size(); i += 2) empty.values[i] = missing;
  const parallel::Communicator alone;
  EXPECT_THROW(state_divergence(empty, data, {}, alone), InputDataError);
  EXPECT_THROW(state_divergence(data, empty, {}, alone), InputDataError);
  EXPECT_THROW(state_divergence(data, normal_series(1, 10, 3, 1), {}, alone), InternalError);
}

}  // namespace
}  // namespace rankflow::analysis
