// What the data determine: against closed forms of a linear network, and the resolution matrix by the book.
#include <gtest/gtest.h>

#include "analysis/identifiability_file.hpp"
#include "analysis/identifiability_support.hpp"

namespace rankflow::analysis {
namespace {

TEST(Identifiability, LinearNetworkHasClosedForm) {
  // One latent, phi = m z: C = q m m^T / N with q the mean square of z, hence a single eigenvalue q |m|^2 / N.
  const auto network = drawn_network({.rank = 1, .activation = model::Activation::identity});
  auto states = drawn_states(network, 400, 0.1);
  add_drive(network, states);
  const config::IdentifiabilityOptions options{.penalty = 0.3, .prior_deviation = 2.0};
  const auto report = analyzed(network, states, options);
  const Matrix m = array_table(network.m, network.neurons()), n = array_table(network.n, network.neurons());
  const double count = static_cast<double>(network.neurons());
  const double q = Eigen::Map<const Eigen::VectorXd>(states.z.data(), states.rows).squaredNorm() / 400;
  const double gamma = q * m.squaredNorm() / count;
  const double share = gamma / (gamma + 0.3);
  EXPECT_NEAR(report.spectrum.eigenvalues[0], gamma, 1e-12 * gamma);
  EXPECT_NEAR(report.spectrum.effective, share, 1e-12);
  EXPECT_NEAR(report.spectrum.assumed.prior, 4.0, 1e-14);
  EXPECT_NEAR(report.spectrum.assumed.noise, 0.3 * 4.0 * 400 / count, 1e-13);
  const auto& overlap = functional_named(report, "n.m1");
  EXPECT_NEAR(overlap.prior_deviation, 2.0 * m.norm() / count, 1e-14);
  EXPECT_NEAR(overlap.deviation, 2.0 * m.norm() / count * std::sqrt(1 - share), 1e-12);
  EXPECT_NEAR(overlap.determined(), share, 1e-12);
  EXPECT_NEAR(overlap.given[0], (n.transpose() * m)(0) / count, 1e-13);
  for (std::int64_t i = 0; i < network.neurons(); ++i) {
    EXPECT_NEAR(report.parts.resolution.at(i, 0), share * m(i) * m(i) / m.squaredNorm(), 1e-13);
    EXPECT_NEAR(report.parts.required_part.at(i, 0), share * m(i) * m.col(0).dot(n.col(0)) / m.squaredNorm(), 1e-12);
  }
  EXPECT_EQ(condition_named(report, "activation is nonlinear").verdict, Verdict::not_met);
  EXPECT_NEAR(condition_named(report, "features of full rank").value, 1 / count, 1e-15);
}

TEST(Identifiability, AgreesWithTheResolutionMatrix) {
  const auto network = drawn_network({.inputs = 1, .bias = true});
  auto states = drawn_states(network, 300, 0.1);
  add_drive(network, states);
  const double penalty = 1e-3;
  const config::IdentifiabilityOptions options{.penalty = penalty, .prior_deviation = 1.5, .tolerance = 1e-12};
  const auto report = analyzed(network, states, options);
  const Matrix features = feature_table(network, states);
  const Matrix resolution = resolution_matrix(features, penalty);
  const auto neurons = network.neurons();
  const double count = static_cast<double>(neurons);
  const Matrix n = array_table(network.n, neurons);
  EXPECT_NEAR(report.spectrum.effective, resolution.trace(), 1e-8);
  EXPECT_LT((array_table(report.parts.resolution, neurons) - resolution.diagonal()).cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_LT((array_table(report.parts.required_part, neurons) - resolution * n).cwiseAbs().maxCoeff(), 1e-8);
  EXPECT_LT((array_table(report.parts.free_part, neurons) - (n - resolution * n)).cwiseAbs().maxCoeff(), 1e-8);
  const Matrix free_drive = features * (n - resolution * n) / count;
  const Matrix posterior = 1.5 * 1.5 * (Matrix::Identity(neurons, neurons) - resolution);
  const auto check = [&](const std::string& name, const Eigen::VectorXd& weights) {
    const auto& found = functional_named(report, name);
    EXPECT_NEAR(found.deviation, std::sqrt(weights.dot(posterior * weights)), 1e-8 * found.prior_deviation) << name;
    EXPECT_NEAR(found.prior_deviation, 1.5 * weights.norm(), 1e-13) << name;
    EXPECT_NEAR(found.given[1], weights.dot(n.col(1)), 1e-13) << name;
  };
  check("n.m2", array_table(network.m, neurons).col(1) / count);
  check("n.b1", array_table(network.input_weights, neurons).col(0) / count);
  check("mean n", Eigen::VectorXd::Constant(neurons, 1 / count));
  for (int r = 0; r < 2; ++r) {
    const auto place = static_cast<std::size_t>(r);
    EXPECT_NEAR(report.parts.free_drive[place], free_drive.col(r).norm() / std::sqrt(300.0), 1e-9);
    EXPECT_LE(report.parts.free_drive[place], report.parts.free_bound * report.parts.size[place]);
    EXPECT_GT(report.parts.required_drive[place], 20 * report.parts.free_drive[place]) << "control";
  }
}

TEST(Identifiability, SaysWhatTheGivenMissesOfTheDrive) {
  auto network = drawn_network({});
  auto states = drawn_states(network, 300, 0.0);
  add_drive(network, states);
  const config::IdentifiabilityOptions options{.penalty = 1e-4, .tolerance = 1e-12};
  const auto own = analyzed(network, states, options);
  EXPECT_LT(own.parts.misfit, 1e-12);
  EXPECT_EQ(identifiability_text(own).find("does NOT have"), std::string::npos);
  EXPECT_EQ(identifiability_text(own).find("lies outside"), std::string::npos);
  // Three times n has three times the drive: what is missed is twice as large as all of it.
  for (double& value : network.n.values()) value *= 3;
  const auto other = analyzed(network, states, options);
  EXPECT_NEAR(other.parts.misfit, 4.0, 1e-9);
  EXPECT_NE(identifiability_text(other).find("does NOT have"), std::string::npos);
  EXPECT_NE(identifiability_text(other).find("required; given lies outside"), std::string::npos);
}

TEST(Identifiability, NoFreeChangeExceedsTheBound) {
  // Any vector, its required part taken away: the drive it makes stays below the bound, for every penalty.
  const auto network = drawn_network({});
  auto states = drawn_states(network, 200, 0.1);
  add_drive(network, states);
  const Matrix features = feature_table(network, states);
  for (const double penalty : {1e-6, 1e-3, 0.1}) {
    const double bound = analyzed(network, states, {.penalty = penalty}).parts.free_bound;
    const Matrix resolution = resolution_matrix(features, penalty);
    // Eigenvectors, so that the one nearest to gamma = lambda, where the bound is sharpest, is among them.
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(resolution);
    double largest = 0;
    double unprojected = 0;
    for (Eigen::Index k = 0; k < 150; ++k) {
      const Eigen::VectorXd change = solver.eigenvectors().col(k);
      const double scale = std::sqrt(150.0) / 150 / std::sqrt(200.0);  // of size 1 (rms), over N, rms over rows
      largest = std::max(largest, scale * (features * (change - resolution * change)).norm());
      unprojected = std::max(unprojected, scale * (features * change).norm());
    }
    EXPECT_LE(largest, bound * (1 + 1e-9)) << penalty;
    EXPECT_GT(unprojected, bound) << "control";
    EXPECT_GT(bound, 0.5 * std::sqrt(penalty)) << "the error of the features belongs to it";
  }
}

/// How often 95 % intervals hold the truth over repeated networks and noise.
struct Holding {
  int overlap = 0, mean = 0, halved = 0;
};

Holding count_holding(bool evidence, double prior, int repetitions) {
  Holding holding;
  const double noise = 0.05;
  for (int k = 0; k < repetitions; ++k) {
    auto network = drawn_network({.neurons = 100, .rank = 1, .bias = true});
    // n from the prior, new each time; m and d stay.
    const auto n = drawn(static_cast<std::uint64_t>(100 + k), 10, 0, 100);
    for (std::int64_t i = 0; i < 100; ++i) network.n.at(i, 0) = prior * n[static_cast<std::size_t>(i)];
    auto states = drawn_states(network, 300, noise, static_cast<std::uint64_t>(500 + k));
    add_drive(network, states);
    config::IdentifiabilityOptions options{
        .penalty = noise * noise * 100 / (prior * prior * 300), .evidence = evidence, .grid = 2};
    if (!evidence) options.prior_deviation = prior;
    const auto report = analyzed(network, states, options);
    const auto inside = [](const NamedFunctional& f, double widths) {
      return std::abs(f.given[0] - f.estimate[0]) < widths * f.deviation ? 1 : 0;
    };
    holding.overlap += inside(functional_named(report, "n.m1"), 1.96);
    holding.mean += inside(functional_named(report, "mean n"), 1.96);
    holding.halved += inside(functional_named(report, "n.m1"), 0.98);
  }
  return holding;
}

TEST(Identifiability, CredibleWidthsHoldTheTruth) {
  // 95 % of 200: at least 179 and at most 199, but for one series in a thousand (binomial).
  const auto holding = count_holding(false, 1.0, 200);
  for (const int held : {holding.overlap, holding.mean}) {
    EXPECT_GE(held, 179);
    EXPECT_LE(held, 199);
  }
  EXPECT_LT(holding.halved, 179) << "control";
}

TEST(Identifiability, CredibleWidthsByEvidenceHoldTheTruth) {
  // The prior's variance is estimated from as many numbers as there are degrees of freedom, here about ten: then 92 %
  // hold the truth (Student-t), 172 but for one series in a thousand.
  const auto holding = count_holding(true, 50.0, 200);
  EXPECT_GE(holding.overlap, 172);
  EXPECT_LT(holding.halved, 172) << "control";
}

TEST(Identifiability, EvidenceFindsTheNoise) {
  const auto network = drawn_network({});
  auto states = drawn_states(network, 2000, 0.2);
  add_drive(network, states);
  const auto report = analyzed(network, states, {.evidence = true});
  // 4000 residuals: standard error of a variance 2.2 %.
  EXPECT_NEAR(report.spectrum.assumed.noise, 0.04, 4 * 0.022 * 0.04);
  EXPECT_NEAR(report.spectrum.noise_seen, 0.04, 4 * 0.022 * 0.04);
  EXPECT_EQ(condition_named(report, "penalty covers the noise").verdict, Verdict::met);
  EXPECT_EQ(
      condition_named(analyzed(network, states, {.penalty = 1e-4, .prior_deviation = 1.0}), "penalty covers the noise")
          .verdict,
      Verdict::not_met)
      << "control";
}

}  // namespace
}  // namespace rankflow::analysis
