#include "model/heavy_tailed.hpp"

#include <algorithm>

#include "model/build_network.hpp"
#include "model_support.hpp"

namespace rankflow::model {
namespace {

using config::HeavyTail;
using config::NetworkOptions;

NetworkOptions heavy(HeavyTail distribution, std::int64_t neurons) {
  NetworkOptions options;
  options.source = config::NetworkSource::heavy_tailed;
  options.neurons = neurons;
  options.heavy_tailed.distribution = distribution;
  options.heavy_tailed.overlap = {{1.2, 0.8}, {-0.3, 1.6}};
  return options;
}

Network<double> build(const NetworkOptions& options, std::uint64_t seed = 3) {
  return build_network<double>(options, 0, seed, parallel::Communicator());
}

/// Largest distance between the sample's distribution and `cdf` times sqrt(n); above 2.2 with probability 1e-4.
template <class Cdf>
double kolmogorov(std::vector<double> sample, const Cdf& cdf) {
  std::sort(sample.begin(), sample.end());
  const auto count = static_cast<double>(sample.size());
  double largest = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double p = cdf(sample[i]);
    largest = std::max({largest, p - static_cast<double>(i) / count, static_cast<double>(i + 1) / count - p});
  }
  return largest * std::sqrt(count);
}

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// Student-t with 4 degrees of freedom scaled to variance 1.
double student_cdf(double m) {
  const double t = m * std::sqrt(2.0);
  const double s = 1 + t * t / 4;
  return 0.5 + 3.0 / 8.0 * t / std::sqrt(s) * (1 - t * t / s / 12);
}

double log_normal_cdf(double m) {
  const double x = 1 + m * std::sqrt(std::expm1(1.0));
  return x <= 0 ? 0.0 : normal_cdf(std::log(x) + 0.5);
}

TEST(HeavyTailed, EntriesHaveTheirDistribution) {
  const auto student = build(heavy(HeavyTail::student_t, 20'000));
  const auto skewed = build(heavy(HeavyTail::log_normal, 20'000));
  for (int r = 0; r < 2; ++r) {
    const auto t = column(student.m, student.partition, r);
    EXPECT_LT(kolmogorov(t, student_cdf), 2.2);
    EXPECT_GT(kolmogorov(t, normal_cdf), 2.2) << "control";
    const auto l = column(skewed.m, skewed.partition, r);
    EXPECT_LT(kolmogorov(l, log_normal_cdf), 2.2);
    EXPECT_GT(kolmogorov(l, normal_cdf), 2.2) << "control";
  }
}

TEST(HeavyTailed, OverlapsAreThePrescribedOnes) {
  for (const auto distribution : {HeavyTail::student_t, HeavyTail::log_normal}) {
    auto options = heavy(distribution, 400'000);
    options.heavy_tailed.degrees_of_freedom = 12;  // products need finite fourth moments for their standard error
    options.heavy_tailed.log_std = 0.5;
    const auto network = build(options);
    for (int r = 0; r < 2; ++r) {
      const auto n = column(network.n, network.partition, r);
      for (int s = 0; s < 2; ++s) {
        const auto m = column(network.m, network.partition, s);
        const double overlap = options.heavy_tailed.overlap[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)];
        expect_near(product_mean(n, m), overlap, "overlap");
        expect_near(product_mean(column(network.m, network.partition, r), m), r == s ? 1.0 : 0.0, "moments of m");
      }
    }
  }
}

TEST(HeavyTailed, ResidualHasItsSizeAndIsIndependentOfM) {
  auto options = heavy(HeavyTail::student_t, 400'000);
  options.heavy_tailed.degrees_of_freedom = 12;
  const auto network = build(options);
  std::vector<double> residual_squares;
  std::vector<double> both;
  std::vector<double> within_m;
  for (std::int64_t i = 0; i < network.neurons(); ++i) {
    const double e = network.n.at(i, 0) - 1.2 * network.m.at(i, 0) - 0.8 * network.m.at(i, 1);
    const double square = network.m.at(i, 0) * network.m.at(i, 0);
    residual_squares.push_back(e * e);
    both.push_back(e * e * square);
    within_m.push_back(square * network.m.at(i, 1) * network.m.at(i, 1));
  }
  expect_near(estimate(residual_squares), 0.25, "variance of the residual");
  expect_near(estimate(both), 0.25, "squares of residual and m");
  // Entries of m share their scale: E[m_0^2 m_1^2] = (nu - 2) / (nu - 4).
  expect_near(estimate(within_m), 10.0 / 8.0, "squares of two entries of m");
}

TEST(HeavyTailed, NeuronsDependOnSeedAndNumberOnly) {
  const auto few = build(heavy(HeavyTail::student_t, 10));
  const auto many = build(heavy(HeavyTail::student_t, 100'000));
  EXPECT_EQ(column(few.n, {}, 1, 10), column(many.n, {}, 1, 10));
  EXPECT_NE(column(few.n, {}, 1, 10), column(build(heavy(HeavyTail::student_t, 10), 4).n, {}, 1, 10));
}

TEST(HeavyTailed, RefusesWhatDoesNotFit) {
  auto options = heavy(HeavyTail::student_t, 10);
  options.rank = 3;
  expect_error<ConfigurationError>([&] { build(options); }, {"network.rank = 3", "overlap", "2 x 2", "rank 2"});
  options.rank = 0;
  options.heavy_tailed.overlap = {{1, 2, 3}, {4, 5, 6}};
  expect_error<ConfigurationError>([&] { build(options); }, {"overlap", "row 0 has 3 values", "2 rows"});
  options = heavy(HeavyTail::student_t, 10);
  options.heavy_tailed.overlap[1][0] = INFINITY;
  expect_error<ConfigurationError>([&] { build(options); }, {"overlap", "[1][0] is inf"});
  options = heavy(HeavyTail::student_t, 10);
  expect_error<ConfigurationError>([&] { build_network<double>(options, 1, 3, parallel::Communicator()); },
                                   {"drive 1 channel(s)", "input weights for 0"});
}

}  // namespace
}  // namespace rankflow::model
