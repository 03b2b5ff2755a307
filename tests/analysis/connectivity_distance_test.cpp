#include "analysis/connectivity_distance.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <Eigen/Dense>

#include "analysis/connectivity_distance_conditional.hpp"
#include "analysis/connectivity_distance_points.hpp"
#include "analysis/connectivity_distance_weights.hpp"
#include "core/error.hpp"
#include "network_support.hpp"

namespace rankflow::analysis {
namespace {

using config::Preset;

NeuronSample everyone(const model::Network<double>& network) {
  return sample_neurons(network, network.neurons(), false, 1, {});
}

/// The published formula: weights exp(−|m − a_k|²/(2·0.25)) of the four means, n = Σ w_k (2.31/0.87) a_k.
std::array<double, 2> published_quadstable(double m1, double m2) {
  double total = 0;
  std::array<double, 2> mean{};
  for (const double a : {-0.87, 0.87})
    for (const double b : {-0.87, 0.87}) {
      const double weight = std::exp(-((m1 - a) * (m1 - a) + (m2 - b) * (m2 - b)) / 0.5);
      total += weight;
      mean[0] += weight * a * 2.31 / 0.87;
      mean[1] += weight * b * 2.31 / 0.87;
    }
  return {mean[0] / total, mean[1] / total};
}

TEST(ConnectivityDistance, ConditionalMeansOfPresets) {
  std::array<double, 2> found{};
  const auto quadstable = preset_conditional_mean(Preset::quadstable);
  const auto bistable = preset_conditional_mean(Preset::bistable);
  for (const auto& [m1, m2] : {std::pair{0.3, -1.2}, {-2.0, 0.05}, {0.0, 0.0}}) {
    const std::array m{m1, m2};
    quadstable(m, found);
    const auto expected = published_quadstable(m1, m2);
    EXPECT_NEAR(found[0], expected[0], 1e-13);
    EXPECT_NEAR(found[1], expected[1], 1e-13);
    bistable(m, found);  // n = Σ m with var m = 1
    EXPECT_NEAR(found[0], 1.2 * m1 + 0.8 * m2, 1e-14);
    EXPECT_NEAR(found[1], 1.6 * m2, 1e-14);
  }
}

// n drawn from the preset lies about its conditional mean with variances 4 − (1.2² + 0.8²) and 4 − 1.6², mean 1.68. A
// square of a normal number has the variance 2 σ⁴: the mean over N neurons has the sd √(2 (1.92² + 1.44²)/4 / N).
TEST(ConnectivityDistance, ErrorOfDrawsIsTheirVariance) {
  constexpr std::int64_t neurons = 5000;
  const auto network = preset_network_of(Preset::bistable, neurons);
  const auto sample = everyone(network);
  const auto mean = preset_conditional_mean(Preset::bistable);
  const double found = conditional_error(sample.loadings, sample.n, mean, 2, {});
  const double spread = std::sqrt(2 * (1.92 * 1.92 + 1.44 * 1.44) / 4 / neurons);
  EXPECT_NEAR(found, 1.68, 4 * spread);
  std::vector<double> exact(sample.n.size());
  for (std::int64_t i = 0; i < neurons; ++i)
    mean(sample.loadings.point(i), std::span(exact).subspan(static_cast<std::size_t>(2 * i), 2));
  EXPECT_EQ(conditional_error(sample.loadings, exact, mean, 2, {}), 0.0);
  EXPECT_GT(conditional_error(sample.loadings, exact, preset_conditional_mean(Preset::quadstable), 2, {}), 0.1);
}

TEST(ConnectivityDistance, ToTheTruthIsSmallestForTheTruth) {
  const auto truth = everyone(preset_network_of(Preset::limit_cycle, 300));
  const ConnectivityTruth limit_cycle{truth.loadings, preset_conditional_mean(Preset::limit_cycle), 2};
  const auto same = everyone(preset_network_of(Preset::limit_cycle, 300, 2));
  const auto other = everyone(preset_network_of(Preset::quadstable, 300, 2));
  const auto near = distance_to_truth(same.loadings, same.n, limit_cycle, {}, {});
  const auto far = distance_to_truth(other.loadings, other.n, limit_cycle, {}, {});
  EXPECT_TRUE(near.loadings.converged);
  EXPECT_LT(near.loadings.divergence, far.loadings.divergence);
  EXPECT_LT(near.total(), far.total());
  EXPECT_EQ(near.total(), near.loadings.divergence + near.conditional_error);
}

TEST(ConnectivityDistance, BadRows) {
  const auto sample = everyone(preset_network_of(Preset::bistable, 10));
  const auto mean = preset_conditional_mean(Preset::bistable);
  const auto fewer = std::span(sample.n).first(10);
  EXPECT_THROW(conditional_error(sample.loadings, fewer, mean, 2, {}), InputDataError);
  auto broken = sample.n;
  broken[4] = std::nan("");
  EXPECT_THROW(conditional_error(sample.loadings, broken, mean, 2, {}), InputDataError);
}

TEST(ConnectivityDistance, ClosedFormsOfConfigurations) {
  config::NetworkOptions heavy;
  heavy.source = config::NetworkSource::heavy_tailed;
  heavy.heavy_tailed.overlap = {{1.5, -0.5}, {0.25, 2.0}};
  const auto known = closed_form(heavy, 0, false);
  ASSERT_TRUE(known.has_value());
  std::array<double, 2> found{};
  known->mean(std::array{2.0, 4.0}, found);
  EXPECT_EQ(found[0], 1.0);
  EXPECT_EQ(found[1], 8.5);
  config::NetworkOptions file;
  file.source = config::NetworkSource::file;
  EXPECT_FALSE(closed_form(file, 0, false).has_value());
  // The input weight of the preset `decision` tells about n as well: cov(n, (m, b)) = (1.4, 2), unit variances.
  config::NetworkOptions decision;
  decision.preset = Preset::decision;
  double n = 0;
  closed_form(decision, 1, false)->mean(std::array{1.0, -0.5}, std::span(&n, 1));
  EXPECT_NEAR(n, 1.4 - 1.0, 1e-14);
}

// The mixture has 14 numbers per component to learn: its mean lies within √(14 · 1.68 / N) of the truth, mean square.
TEST(ConnectivityDistance, EstimatedConditionalMeanApproachesTheTruth) {
  const auto sample = everyone(preset_network_of(Preset::bistable, 2000));
  const auto estimated = estimate_conditional_mean(sample, 1, {});
  std::vector<double> mean(sample.n.size());
  for (std::int64_t i = 0; i < sample.count(); ++i)
    estimated.mean(sample.loadings.point(i), std::span(mean).subspan(static_cast<std::size_t>(2 * i), 2));
  const auto truth = preset_conditional_mean(Preset::bistable);
  EXPECT_LT(conditional_error(sample.loadings, mean, truth, 2, {}), 14 * 1.68 / 2000);
  EXPECT_GT(conditional_error(sample.loadings, mean, preset_conditional_mean(Preset::limit_cycle), 2, {}), 0.5);
}

Eigen::MatrixXd matrix_of(const model::NeuronArray<double>& array, std::int64_t neurons) {
  Eigen::MatrixXd matrix(neurons, array.columns());
  for (Eigen::Index i = 0; i < neurons; ++i)
    for (int c = 0; c < array.columns(); ++c) matrix(i, c) = array.at(i, c);
  return matrix;
}

double correlation(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  const Eigen::ArrayXXd x = a.array() - a.mean();
  const Eigen::ArrayXXd y = b.array() - b.mean();
  return (x * y).sum() / std::sqrt(x.square().sum() * y.square().sum());
}

/// J = m nᵀ with n projected on the span of (m, b), formed as it stands.
Eigen::MatrixXd effective_weights(const model::Network<double>& network) {
  const auto neurons = network.neurons();
  Eigen::MatrixXd basis(neurons, network.rank + network.inputs);
  basis << matrix_of(network.m, neurons), matrix_of(network.input_weights, neurons);
  const Eigen::MatrixXd inverse = (basis.transpose() * basis).inverse();
  const Eigen::MatrixXd projected = basis * (inverse * (basis.transpose() * matrix_of(network.n, neurons)));
  return matrix_of(network.m, neurons) * projected.transpose();
}

TEST(WeightCorrelations, EqualThoseOfTheMatrices) {
  const auto a = preset_network_of(Preset::decision, 60, 1);
  auto b = preset_network_of(Preset::decision, 60, 2);
  for (std::int64_t i = 0; i < 60; ++i) {
    b.m.at(i, 0) += a.m.at(i, 0) + 0.3;
    b.n.at(i, 0) += 0.5 * a.n.at(i, 0) + 0.2;
  }
  const auto first = everyone(a);
  const auto found = correlate_weights(a, b, first, everyone(b), {});
  ASSERT_TRUE(found.weights.has_value());
  EXPECT_NEAR(*found.weights,
              correlation(matrix_of(a.m, 60) * matrix_of(a.n, 60).transpose(),
                          matrix_of(b.m, 60) * matrix_of(b.n, 60).transpose()),
              1e-12);
  const Eigen::MatrixXd x = effective_weights(a);
  const Eigen::MatrixXd y = effective_weights(b);
  EXPECT_NEAR(*found.effective_weights, correlation(x, y), 1e-12);
  EXPECT_LT(std::abs(*found.weights), 0.999);
  std::vector<double> sorted_x(x.data(), x.data() + x.size());
  std::vector<double> sorted_y(y.data(), y.data() + y.size());
  std::sort(sorted_x.begin(), sorted_x.end());
  std::sort(sorted_y.begin(), sorted_y.end());
  EXPECT_NEAR(*found.sorted_effective_weights,
              correlation(Eigen::Map<Eigen::VectorXd>(sorted_x.data(), 3600),
                          Eigen::Map<Eigen::VectorXd>(sorted_y.data(), 3600)),
              1e-12);
  const auto itself = correlate_weights(a, a, first, first, {});
  EXPECT_NEAR(*itself.weights, 1.0, 1e-12);
  EXPECT_NEAR(*itself.effective_weights, 1.0, 1e-12);
}

TEST(WeightCorrelations, OfOtherNumbersOfNeuronsAreRefused) {
  const auto a = preset_network_of(Preset::bistable, 40);
  const auto b = preset_network_of(Preset::bistable, 50);
  const auto found = correlate_weights(a, b, everyone(a), sample_neurons(b, 40, false, 1, {}), {});
  EXPECT_FALSE(found.weights.has_value());
  EXPECT_THAT(found.why_not, testing::HasSubstr("40 and 50 neurons"));
  EXPECT_GT(*found.sorted_effective_weights, 0.9);
}

TEST(WeightCorrelations, OfWeightsThatDoNotVaryDoNotExist) {
  const auto a = preset_network_of(Preset::bistable, 40);
  auto silent = preset_network_of(Preset::bistable, 40);
  for (double& value : silent.n.values()) value = 0;
  const auto found = correlate_weights(a, silent, everyone(a), everyone(silent), {});
  EXPECT_FALSE(found.weights.has_value());
  EXPECT_FALSE(found.effective_weights.has_value());
  EXPECT_FALSE(found.sorted_effective_weights.has_value());
  EXPECT_THAT(found.why_not, testing::HasSubstr("equal"));
}

TEST(NeuronSample, HoldsWhatTheNetworkHolds) {
  const auto network = preset_network_of(Preset::decision, 1500);
  const auto all = sample_neurons(network, 1500, true, 1, {});
  EXPECT_EQ(all.loadings.dimensions, 3);
  for (const std::int64_t i : {0, 700, 1499}) {
    EXPECT_EQ(all.loadings.point(i)[0], network.m.at(i, 0));
    EXPECT_EQ(all.loadings.point(i)[1], network.input_weights.at(i, 0));
    EXPECT_EQ(all.loadings.point(i)[2], 0.0);
    EXPECT_EQ(all.rows().point(i)[1], network.n.at(i, 0));
  }
  const auto some = sample_neurons(network, 100, false, 1, {});
  EXPECT_EQ(some.count(), 100);
  EXPECT_EQ(some.half(0).count() + some.half(1).count(), 100);
  EXPECT_EQ(some.half(1).n[0], some.n[1]);
  EXPECT_NE(some.n, sample_neurons(network, 100, false, 2, {}).n);
}

}  // namespace
}  // namespace rankflow::analysis
