#include "connectivity/posterior.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include "connectivity/ridge.hpp"
#include "connectivity_support.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

using testing::matrix_of;
using testing::normals;
using testing::Oracle;
using testing::oracle_of;
using testing::random_loadings;
using testing::random_states;
using testing::relative_difference;
using testing::Shape;
using testing::smooth_drive;

constexpr Variances variances{.noise = 0.04, .prior = 2.0};

/// y = (1/N) sum n_i phi_i + noise with n ~ N(0, s^2), exactly the model.
struct Problem {
  Shape shape{.neurons = 40};
  parallel::Communicator comm{};
  Loadings loadings = random_loadings(shape, 2);
  VisitedStates states = random_states(60, shape, 1, smooth_drive);
  Oracle oracle = oracle_of(states, loadings, [](double x) { return std::tanh(x); });
  FeatureBasis basis{states, loadings, {.tolerance = 1e-12}, comm};
  Posterior posterior{basis, loadings, comm};

  /// Covariance of one component of n, by the formula with N x N matrices.
  Eigen::MatrixXd covariance() const {
    const Eigen::MatrixXd design = oracle.features / oracle.neurons();
    Eigen::MatrixXd precision = design.transpose() * design / variances.noise;
    precision.diagonal().array() += 1.0 / variances.prior;
    return precision.llt().solve(Eigen::MatrixXd::Identity(precision.rows(), precision.cols()));
  }
  Eigen::MatrixXd mean() const {
    return covariance() * oracle.features.transpose() * oracle.y / oracle.neurons() / variances.noise;
  }
};

TEST(Posterior, MeanIsTheRidge) {
  const Problem problem;
  const double penalty = problem.posterior.spectrum().penalty(variances);
  const auto mean = matrix_of(problem.posterior.mean(penalty)(problem.loadings), problem.loadings.partition);
  EXPECT_LT(relative_difference(mean, problem.mean()), 1e-9);
  EXPECT_LT(relative_difference(mean, problem.oracle.n(penalty)), 1e-9);
}

TEST(Posterior, EvidenceIsTheGaussianDensityOfTheDrive) {
  const Problem problem;
  const auto rows = problem.states.rows;
  const Eigen::MatrixXd design = problem.oracle.features / problem.oracle.neurons();
  Eigen::MatrixXd covariance = variances.prior * design * design.transpose();
  covariance.diagonal().array() += variances.noise;
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  const double log_determinant = 2.0 * factor.matrixLLT().diagonal().array().log().sum();
  const double expected =
      -0.5 * (2.0 * (static_cast<double>(rows) * std::log(2.0 * std::numbers::pi) + log_determinant) +
              problem.oracle.y.cwiseProduct(factor.solve(problem.oracle.y)).sum());
  EXPECT_NEAR(problem.posterior.spectrum().log_evidence(variances), expected, 1e-8 * std::abs(expected));
}

TEST(Posterior, MaximumOfTheEvidenceBeatsAGrid) {
  const Problem problem;
  const auto& spectrum = problem.posterior.spectrum();
  const auto best = spectrum.maximise_evidence();
  const double highest = spectrum.log_evidence(best);
  for (double noise = -2.0; noise <= 2.0; noise += 0.1)
    for (double prior = -2.0; prior <= 2.0; prior += 0.1)
      EXPECT_LE(spectrum.log_evidence({best.noise * std::exp(noise), best.prior * std::exp(prior)}),
                highest + 1e-9 * std::abs(highest));
  EXPECT_GT(highest, spectrum.log_evidence({1.2 * best.noise, best.prior})) << "control: elsewhere it is lower";
}

TEST(Posterior, EvidenceFindsTheNoiseThatWasAdded) {
  const Shape shape{.neurons = 400};
  const parallel::Communicator comm;
  const auto loadings = random_loadings(shape, 2);
  auto states = random_states(3000, shape, 1, [](const double*, const double*, int) { return 0.0; });
  const auto oracle = oracle_of(states, loadings, [](double x) { return std::tanh(x); });
  const auto drawn = normals(3, shape.neurons * shape.rank);
  const auto noise = normals(4, states.rows * shape.rank);
  for (const double deviation : {0.01, 0.1}) {
    for (std::int64_t t = 0; t < states.rows; ++t)
      for (int r = 0; r < shape.rank; ++r) {
        const Eigen::Map<const Eigen::VectorXd, 0, Eigen::InnerStride<>> n(drawn.data() + r, shape.neurons,
                                                                           Eigen::InnerStride<>(shape.rank));
        const auto place = static_cast<std::size_t>(t * shape.rank + r);
        states.y[place] = oracle.features.row(t).dot(n) / oracle.neurons() + deviation * noise[place];
      }
    const auto solution = solve_ridge(states, loadings, {.form = RidgeForm::reduced}, comm);
    // 6000 numbers: relative standard deviation of a variance sqrt(2 / 6000) = 0.018.
    EXPECT_NEAR(solution.noise_variance / (deviation * deviation), 1.0, 4 * 0.018);
    // Few modes stand above the noise, each of which says as much on the prior: about effective_parameters of them.
    const double modes = 2.0 * solution.effective_parameters;
    EXPECT_NEAR(std::log(solution.prior_variance), 0.0, 4 * std::sqrt(2.0 / modes));
  }
}

TEST(Posterior, WidthsAreThoseOfTheCovariance) {
  const Problem problem;
  model::NeuronArray<double> w(problem.loadings.partition, 3);
  const auto numbers = normals(9, 3 * problem.shape.neurons);
  Eigen::MatrixXd functionals(problem.shape.neurons, 3);
  for (std::int64_t i = 0; i < problem.shape.neurons; ++i)
    for (int k = 0; k < 3; ++k)
      // The last is one that the visited states determine: the drive at row 7.
      w.at(i, k) = functionals(i, k) = k == 2 ? problem.oracle.features(7, i) / problem.oracle.neurons()
                                              : numbers[static_cast<std::size_t>(3 * i + k)];
  const auto found = problem.posterior.functionals(variances, w, problem.comm);
  const Eigen::VectorXd expected =
      (functionals.transpose() * problem.covariance() * functionals).diagonal().cwiseSqrt();
  EXPECT_LT((found.deviation - expected).cwiseAbs().maxCoeff(), 1e-9 * expected.maxCoeff());
  EXPECT_LT(relative_difference(found.mean, functionals.transpose() * problem.mean()), 1e-9);
  EXPECT_LT(found.deviation[2], 0.5 * found.prior_deviation[2]) << "determined";
  EXPECT_GT(found.deviation[0], 0.5 * found.prior_deviation[0]) << "free";

  const auto drive = problem.posterior.drive(variances, rows_of(problem.states, 7, 1), problem.comm);
  EXPECT_NEAR(drive.deviation[0], found.deviation[2], 1e-12);
  EXPECT_LT((drive.mean - found.mean.bottomRows(1)).norm(), 1e-10);
}

TEST(Posterior, DrawsHaveItsMeanAndCovariance) {
  const Problem problem;
  const auto mean = problem.mean();
  const auto covariance = problem.covariance();
  constexpr int draws = 20000;
  const Eigen::Index size = problem.shape.neurons;
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(size);
  Eigen::MatrixXd products = Eigen::MatrixXd::Zero(size, size);
  for (std::uint32_t k = 0; k < draws; ++k) {
    const auto n = matrix_of(problem.posterior.draw(variances, 11, k, problem.comm), problem.loadings.partition);
    const Eigen::VectorXd away = n.col(0) - mean.col(0);
    sum += away;
    products.selfadjointView<Eigen::Lower>().rankUpdate(away);
  }
  products.triangularView<Eigen::StrictlyUpper>() = products.transpose();
  // Whitened: means are N(0, 1 / draws), products N(delta, (1 + delta) / draws).
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  const Eigen::VectorXd white_mean = factor.matrixL().solve(sum) / draws;
  EXPECT_LT(white_mean.cwiseAbs().maxCoeff() * std::sqrt(static_cast<double>(draws)), 5.0);
  const Eigen::MatrixXd half = factor.matrixL().solve(products);
  const Eigen::MatrixXd white =
      factor.matrixL().solve(half.transpose()) / draws - Eigen::MatrixXd::Identity(size, size);
  EXPECT_LT(white.cwiseAbs().maxCoeff() * std::sqrt(static_cast<double>(draws) / 2.0), 5.0);
}

TEST(Posterior, DrawsDependOnSeedAndNumber) {
  const Problem problem;
  const auto draw = [&](std::uint64_t seed, std::uint32_t number) {
    return matrix_of(problem.posterior.draw(variances, seed, number, problem.comm), problem.loadings.partition);
  };
  EXPECT_EQ(draw(1, 0), draw(1, 0));
  EXPECT_NE(draw(1, 0), draw(2, 0));
  EXPECT_NE(draw(1, 0), draw(1, 1));
}

TEST(Posterior, ProjectionTakesApartWhatStatesSeeAndWhatTheyDoNot) {
  // Fewer rows than neurons: a part of n must be free.
  const Shape shape{.neurons = 50};
  const parallel::Communicator comm;
  const auto loadings = random_loadings(shape, 2);
  const auto states = random_states(20, shape, 1, smooth_drive);
  const auto oracle = oracle_of(states, loadings, [](double x) { return std::tanh(x); });
  const FeatureBasis basis(states, loadings, {.tolerance = 1e-12}, comm);
  const Posterior posterior(basis, loadings, comm);
  model::NeuronArray<double> n(loadings.partition, 2);
  const auto numbers = normals(4, 100);
  for (std::int64_t i = 0; i < 50; ++i)
    for (int r = 0; r < 2; ++r) n.at(i, r) = numbers[static_cast<std::size_t>(2 * i + r)];
  const auto parts = posterior.project(n, 0.0, comm);
  const auto all = matrix_of(n, loadings.partition);
  const auto required = matrix_of(parts.required, loadings.partition);
  const auto free = matrix_of(parts.free, loadings.partition);
  EXPECT_LT((required + free - all).norm(), 1e-12 * all.norm());
  EXPECT_LT((oracle.features * free).norm(), 1e-6 * (oracle.features * all).norm());
  EXPECT_NEAR(required.cwiseProduct(free).sum(), 0.0, 1e-6 * all.squaredNorm());
  EXPECT_GT(free.norm(), 0.5 * all.norm()) << "control: there is a free part";
  EXPECT_GT((oracle.features * required).norm(), 0.99 * (oracle.features * all).norm());
  EXPECT_NEAR(parts.required_share[0], required.col(0).squaredNorm() / all.col(0).squaredNorm(), 1e-12);
}

TEST(Posterior, SpectrumIsThatOfTheFeatures) {
  const Problem problem;
  const Eigen::MatrixXd gram = problem.oracle.features.transpose() * problem.oracle.features /
                               (problem.oracle.neurons() * problem.oracle.rows());
  const Eigen::VectorXd expected = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram).eigenvalues().reverse();
  const auto& found = problem.posterior.spectrum().eigenvalues;
  EXPECT_LT((found - expected.head(found.size())).cwiseAbs().maxCoeff(), 1e-12 * expected[0]);
  const auto functions = problem.posterior.eigenfunctions();
  const Eigen::MatrixXd products = functions.transpose() * functions / problem.oracle.rows();
  EXPECT_LT((products - Eigen::MatrixXd::Identity(products.rows(), products.cols())).cwiseAbs().maxCoeff(), 1e-12);
  const Eigen::MatrixXd again = functions * problem.posterior.coordinates(0).topRows(problem.shape.neurons).transpose();
  EXPECT_LT(relative_difference(again, problem.oracle.features), 1e-9);
  for (const double penalty : {1e-4, 1e-1})
    EXPECT_NEAR(problem.posterior.spectrum().effective_parameters(penalty),
                (expected.array() / (expected.array() + penalty)).sum(), 1e-8);
}

TEST(PosteriorErrors, EvidenceWithoutAMaximumIsRefused) {
  const Problem problem;
  auto states = problem.states;
  // A drive that the neurons reproduce exactly leaves no noise.
  for (std::int64_t t = 0; t < states.rows; ++t)
    for (int r = 0; r < 2; ++r)
      states.y[static_cast<std::size_t>(2 * t + r)] = problem.oracle.features(t, 0) * (r + 1.0);
  const FeatureBasis basis(states, problem.loadings, {.tolerance = 1e-12}, problem.comm);
  const Posterior posterior(basis, problem.loadings, problem.comm);
  EXPECT_THROW(posterior.spectrum().maximise_evidence(), NumericalError);
}

TEST(PosteriorErrors, NoiseBelowRoundingIsRefused) {
  auto spectrum = Problem().posterior.spectrum();
  EXPECT_GT(spectrum.maximise_evidence().noise, 0.0) << "control: noise that is there";
  for (Eigen::Index k = 0; k < spectrum.targets.rows(); ++k) {
    const double share = spectrum.eigenvalues[k] / spectrum.eigenvalues[0];
    spectrum.targets.row(k) *= std::sqrt(share) / spectrum.targets.row(k).norm();
  }
  // What single precision leaves of the drive.
  spectrum.unexplained = 1e-14 * spectrum.targets.squaredNorm();
  try {
    spectrum.maximise_evidence();
    FAIL() << "not refused";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("no maximum; give a penalty"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace rankflow::connectivity
