#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <Eigen/Dense>

#include "analysis/mixture_selection.hpp"
#include "analysis_support.hpp"
#include "core/error.hpp"
#include "network_support.hpp"

namespace rankflow::analysis {
namespace {

using config::Preset;

TEST(Mixture, OneComponentIsTheSampleGaussian) {
  const PointCloud points{500, 3, normals(1500, 1)};
  const MixtureRows rows(points, {});
  const auto fit = fit_mixture(rows, all_rows(rows.partition()), {.regularisation = 1e-12}, {});
  Eigen::MatrixXd x(500, 3);
  for (Eigen::Index i = 0; i < 500; ++i)
    for (Eigen::Index k = 0; k < 3; ++k) x(i, k) = points.point(i)[static_cast<std::size_t>(k)];
  const Eigen::RowVectorXd mean = x.colwise().mean();
  x.rowwise() -= mean;
  const Eigen::MatrixXd covariance = x.transpose() * x / 500;
  const auto own = rows.in_own_units(fit.model);
  EXPECT_LT((own.means[0] - mean.transpose()).norm(), 1e-13);
  EXPECT_LT((own.covariances[0] - covariance).norm(), 1e-11);
  // Of the maximum likelihood Gaussian: −D/2 (1 + log 2π) − log det/2.
  const double expected = -1.5 * (1 + std::log(2 * std::numbers::pi)) - 0.5 * std::log(covariance.determinant());
  EXPECT_NEAR(fit.log_likelihood + rows.log_scale(), expected, 1e-10);
}

TEST(Mixture, ObjectiveNeverFallsAndEndsConverged) {
  const auto network = preset_network_of(Preset::quadstable, 700);
  const MixtureRows rows(network, {});
  for (const int components : {2, 3, 4, 6}) {
    const auto fit = fit_mixture(rows, all_rows(rows.partition()), {.components = components, .tolerance = 1e-9}, {});
    ASSERT_GT(fit.objective.size(), 3U);
    for (std::size_t k = 1; k < fit.objective.size(); ++k)
      EXPECT_GE(fit.objective[k], fit.objective[k - 1] - 1e-12) << components << " components, iteration " << k;
    EXPECT_GT(fit.objective.back(), fit.objective.front());
  }
}

// Errors of a population's mean: sd 0.5/√(N/4); of its weight √(3/16/N). 5 of them for 16 + 4 numbers.
TEST(Mixture, RecoversKnownPopulations) {
  constexpr double neurons = 4000;
  const auto network = preset_network_of(Preset::quadstable, static_cast<std::int64_t>(neurons));
  const MixtureRows rows(network, {});
  const auto fit = fit_mixture(rows, all_rows(rows.partition()), {.components = 4}, {});
  EXPECT_TRUE(fit.converged);
  const auto own = rows.in_own_units(fit.model);
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_NEAR(own.weights[k], 0.25, 5 * std::sqrt(3.0 / 16 / neurons));
    for (Eigen::Index v = 0; v < 4; ++v) {
      const double expected = std::copysign(v < 2 ? 0.87 : 2.31, own.means[k][v % 2]);
      EXPECT_NEAR(own.means[k][v], expected, 5 * 0.5 / std::sqrt(neurons / 4));
      EXPECT_NEAR(own.covariances[k](v, v), 0.25, 5 * 0.25 * std::sqrt(2 / (neurons / 4)) + 1e-3);
    }
  }
}

TEST(Mixture, CrossValidationFindsTheNumberOfPopulations) {
  for (const auto& [preset, expected] :
       {std::pair{Preset::quadstable, 4}, {Preset::limit_cycle, 1}, {Preset::bistable, 1}}) {
    const auto network = preset_network_of(preset, 800);
    const MixtureRows rows(network, {});
    const auto selection = select_components(rows, {.most = 6}, {});
    EXPECT_EQ(selection.chosen, expected);
    const auto least = std::min_element(selection.scores.begin(), selection.scores.end(),
                                        [](const auto& a, const auto& b) { return a.bic < b.bic; });
    EXPECT_EQ(least->components, expected);
    EXPECT_EQ(selection.scores[static_cast<std::size_t>(selection.best - 1)].shortfall, 0.0);
    EXPECT_GT(selection.scores.back().shortfall, selection.scores.back().shortfall_error);
  }
}

TEST(Mixture, VariablesWithoutVarianceStay) {
  PointCloud points{100, 3, normals(300, 2)};
  for (std::size_t i = 0; i < 100; ++i) points.values[3 * i + 1] = 0.25;
  const MixtureRows rows(points, {});
  EXPECT_THAT(rows.kept(), testing::ElementsAre(0, 2));
  const auto own = rows.in_own_units(fit_mixture(rows, all_rows(rows.partition()), {}, {}).model);
  EXPECT_EQ(own.means[0][1], 0.25);
  EXPECT_EQ(own.covariances[0](1, 1), 0.0);
  EXPECT_GT(own.covariances[0](2, 2), 0.5);
}

TEST(Mixture, ConditionalMeanOfAGaussian) {
  MixtureModel model{.weights = {1.0}, .means = {Eigen::VectorXd(3)}, .covariances = {Eigen::MatrixXd(3, 3)}};
  model.means[0] << 1.0, -1.0, 0.5;
  model.covariances[0] << 2.0, 0.3, 0.7, 0.3, 1.0, -0.4, 0.7, -0.4, 3.0;
  const auto mean = conditional_mean(model, {0, 1}, {2});
  const Eigen::Vector2d at(0.2, 1.5);
  const Eigen::Matrix2d given = model.covariances[0].topLeftCorner(2, 2);
  const Eigen::RowVector2d slope = model.covariances[0].block(2, 0, 1, 2) * given.inverse();
  double found = 0;
  mean(std::vector<double>{0.2, 1.5}, std::span(&found, 1));
  EXPECT_NEAR(found, 0.5 + slope.dot(at - model.means[0].head(2)), 1e-14);
}

/// E[y | x] of a mixture over (x, y) by quadrature of the joint density.
TEST(Mixture, ConditionalMeanByQuadrature) {
  MixtureModel model;
  model.weights = {0.3, 0.7};
  for (const double sign : {-1.0, 1.0}) {
    model.means.emplace_back(Eigen::Vector2d(sign, -2 * sign));
    model.covariances.emplace_back(Eigen::MatrixXd{{0.5, 0.2 * sign}, {0.2 * sign, 1.0}});
  }
  const auto mean = conditional_mean(model, {0}, {1});
  for (const double x : {-1.3, 0.1, 2.0}) {
    double mass = 0;
    double moment = 0;
    for (double y = -12; y < 12; y += 1e-3)
      for (std::size_t k = 0; k < 2; ++k) {
        const Eigen::Vector2d off = Eigen::Vector2d(x, y) - model.means[k];
        const double density = model.weights[k] * std::exp(-0.5 * off.dot(model.covariances[k].inverse() * off)) /
                               std::sqrt(model.covariances[k].determinant());
        mass += density;
        moment += density * y;
      }
    double found = 0;
    mean(std::vector<double>{x}, std::span(&found, 1));
    EXPECT_NEAR(found, moment / mass, 1e-10) << x;
  }
}

TEST(Mixture, SingularConditionsAreRefused) {
  MixtureModel model{.weights = {1.0}, .means = {Eigen::VectorXd::Zero(3)}, .covariances = {Eigen::MatrixXd(3, 3)}};
  model.covariances[0] << 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0;
  try {
    conditional_mean(model, {0, 1}, {2});
    FAIL() << "a singular covariance passed";
  } catch (const NumericalError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("covariance of (m, b, d) is singular"));
  }
}

TEST(Mixture, BadInput) {
  EXPECT_THROW(MixtureRows(PointCloud{50, 2, std::vector<double>(100, 1.5)}, {}), InputDataError);
  EXPECT_THROW(MixtureRows(PointCloud{2, 1, {1.0, std::numeric_limits<double>::infinity()}}, {}), InputDataError);
  const MixtureRows few(PointCloud{6, 1, normals(6, 3)}, {});
  EXPECT_THROW(select_components(few, {}, {}), InputDataError);
  EXPECT_THROW(fit_mixture(few, all_rows(few.partition()), {.components = 6}, {}), InputDataError);
  PointCloud two_places{40, 1, {}};
  for (int i = 0; i < 40; ++i) two_places.values.push_back(i % 2);
  const MixtureRows rows(two_places, {});
  EXPECT_NO_THROW(fit_mixture(rows, all_rows(rows.partition()), {.components = 2}, {}));
  EXPECT_THROW(fit_mixture(rows, all_rows(rows.partition()), {.components = 3}, {}), InputDataError);
}

}  // namespace
}  // namespace rankflow::analysis
