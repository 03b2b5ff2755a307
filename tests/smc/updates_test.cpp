#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include <Eigen/Dense>

#include "core/error.hpp"
#include "parallel/draws.hpp"
#include "smc/guided_update.hpp"
#include "smc/optimal_update.hpp"
#include "smc/proposal.hpp"

namespace rankflow::smc {
namespace {

using Dense = Eigen::MatrixXd;

/// Reproducible standard normals, matrix after matrix.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : stream_(seed, parallel::Purpose::test) {}
  Matrix matrix(Eigen::Index rows, Eigen::Index columns) {
    Matrix result(rows, columns);
    parallel::normal<double>(stream_, {.index = index_++}, 0, {result.data(), static_cast<std::size_t>(result.size())});
    return result;
  }
  Vector vector(Eigen::Index rows) { return matrix(rows, 1); }
  /// Lower triangular with a positive diagonal.
  Matrix factor(Eigen::Index rows) {
    Matrix result = matrix(rows, rows).triangularView<Eigen::Lower>();
    result.diagonal() = result.diagonal().array().abs() + 0.3;
    return result;
  }
  Vector positive(Eigen::Index rows) { return vector(rows).array().exp(); }

 private:
  parallel::Stream stream_;
  std::uint32_t index_ = 0;
};

double log_normal(const Vector& x, const Vector& mean, const Dense& covariance) {
  const Vector e = x - mean;
  return -0.5 * (e.dot(covariance.inverse() * e) + std::log((2 * std::numbers::pi * covariance).determinant()));
}

/// The dense problem that OptimalUpdate solves in R dimensions.
struct Observed {
  Observed(Eigen::Index rank, Eigen::Index channels, Numbers& numbers)
      : noise(numbers.factor(rank)),
        weights(numbers.matrix(channels, rank)),
        offset(numbers.vector(channels)),
        variance(numbers.positive(channels)) {}

  Dense sigma() const { return noise * noise.transpose(); }
  Dense spread() const { return weights * sigma() * weights.transpose() + Dense(variance.asDiagonal()); }
  OptimalUpdate update() const {
    const Matrix information = weights.transpose() * variance.cwiseInverse().asDiagonal() * weights;
    return {noise, information, variance.array().log().sum(), weights.rows()};
  }
  OptimalUpdate::Terms terms(const OptimalUpdate& update, const Vector& x) const {
    const Vector residual = x - offset;
    const Vector weighted = residual.cwiseQuotient(variance);
    return update.terms(weighted.transpose() * weights, Vector::Constant(1, residual.dot(weighted)));
  }

  Matrix noise, weights;
  Vector offset, variance;
};

/// Against Gaussians in all D dimensions; fewer channels than latents leave directions in which nothing is seen.
TEST(OptimalUpdate, IsTheDenseGaussianUpdate) {
  Numbers numbers(1);
  for (const auto& [rank, channels] : {std::pair{1, 1}, {2, 5}, {3, 12}, {4, 2}, {5, 40}}) {
    SCOPED_TRACE(::testing::Message() << "R = " << rank << ", D = " << channels);
    const Observed observed(rank, channels, numbers);
    const auto update = observed.update();
    for (int i = 0; i < 5; ++i) {
      const Vector mu = numbers.vector(rank);
      const Vector x = 2 * numbers.vector(channels);
      const auto terms = observed.terms(update, x);
      const Dense gain = observed.sigma() * observed.weights.transpose() * observed.spread().inverse();
      const Vector mean = mu + gain * (x - observed.offset - observed.weights * mu);
      const Dense covariance = observed.sigma() - gain * observed.weights * observed.sigma();
      const double log = log_normal(x, observed.weights * mu + observed.offset, observed.spread());

      // Everything here is of order 1 to 100; matrices are inverted with condition numbers below 1e4.
      constexpr double tolerance = 1e-10;
      EXPECT_LT((update.gain() * mu + terms.shift.row(0).transpose() - mean).cwiseAbs().maxCoeff(), tolerance);
      EXPECT_LT((update.spread() * update.spread().transpose() - covariance).cwiseAbs().maxCoeff(), tolerance);
      EXPECT_TRUE(update.spread().isLowerTriangular());
      const Vector from_peak = mu - terms.centre.row(0).transpose();
      EXPECT_NEAR(terms.peak[0] - 0.5 * from_peak.dot(update.weight_information() * from_peak), log,
                  tolerance * (1 + std::abs(log)));
      EXPECT_NEAR(terms.level[0] + terms.slope.row(0).dot(mu) - 0.5 * mu.dot(update.weight_information() * mu), log,
                  tolerance * (1 + std::abs(log)));
      const Vector elsewhere = mu + Vector::Constant(rank, 0.1);
      EXPECT_GT(std::abs(log_normal(x, observed.weights * elsewhere + observed.offset, observed.spread()) - log), 1e-4);
    }
  }
}

TEST(OptimalUpdate, RefusesAMisfitWithoutAnyDigitLeft) {
  const Matrix one = Matrix::Identity(1, 1);
  const OptimalUpdate update(one, one, 0.0, 1);
  // y = 3 of a channel of variance 1 has misfit 9, of which y S y = 4.5 is the latent's.
  EXPECT_NO_THROW(update.terms(3 * one, Vector::Constant(1, 9.0)));
  EXPECT_THROW(update.terms(3 * one, Vector::Constant(1, 3.0)), NumericalError);
}

TEST(OptimalUpdate, OfNothingIsTheTransition) {
  Numbers numbers(2);
  const Matrix noise = numbers.factor(3);
  const OptimalUpdate update(noise, Matrix::Zero(3, 3), 0, 0);
  const auto terms = update.terms(Matrix::Zero(1, 3), Vector::Zero(1));
  EXPECT_LT((update.gain() - Matrix::Identity(3, 3)).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LT((update.spread() - noise).cwiseAbs().maxCoeff(), 1e-13);
  EXPECT_LT(update.weight_information().cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_NEAR(terms.peak[0], 0, 1e-13);
  EXPECT_LT(terms.shift.cwiseAbs().maxCoeff(), 1e-14);
}

TEST(OptimalUpdate, SaysThatNoiseHasCollapsed) {
  EXPECT_THROW(OptimalUpdate(Matrix::Zero(2, 2), Matrix::Identity(2, 2), 0, 2), NumericalError);
  Matrix information = Matrix::Identity(2, 2);
  information(0, 0) = std::numeric_limits<double>::infinity();
  EXPECT_THROW(OptimalUpdate(Matrix::Identity(2, 2), information, 0, 2), NumericalError);
}

TEST(TimesByRow, RoundsARowTheSameWhateverStandsBesideIt) {
  Numbers numbers(3);
  const Matrix a = numbers.matrix(13, 7);
  const Matrix b = numbers.matrix(7, 3);
  const Matrix all = times_by_row(a, b);
  EXPECT_LT((all - a * b).cwiseAbs().maxCoeff(), 1e-14);
  for (Eigen::Index i = 0; i < a.rows(); ++i) EXPECT_EQ(times_by_row(a.middleRows(i, 1), b).row(0), all.row(i));
}

/// Against the product of two Gaussians, and the ratio of the densities of transition and proposal.
TEST(GuidedUpdate, IsTheProductOfTwoGaussians) {
  Numbers numbers(4);
  for (const int rank : {1, 2, 5}) {
    SCOPED_TRACE(rank);
    const Matrix noise = numbers.factor(rank);
    const Vector log_variance = numbers.vector(rank);
    const GuidedUpdate update(noise, log_variance);
    const Dense sigma = noise * noise.transpose();
    for (int i = 0; i < 5; ++i) {
      const Vector mu = numbers.vector(rank);
      const Vector guide = numbers.vector(rank);
      const Vector eps = numbers.vector(rank);
      Vector mean(rank), variance(rank);
      for (int r = 0; r < rank; ++r) {
        const double precision = 1 / sigma(r, r) + std::exp(-log_variance[r]);
        variance[r] = 1 / precision;
        mean[r] = (mu[r] / sigma(r, r) + guide[r] * std::exp(-log_variance[r])) / precision;
      }
      const Vector z = mean + variance.cwiseSqrt().cwiseProduct(eps);
      const double log = log_normal(z, mu, sigma) - log_normal(z, mean, variance.asDiagonal());

      constexpr double tolerance = 1e-11;
      const Vector found =
          update.gain() * mu + update.shift(guide.transpose()).row(0).transpose() + update.spread() * eps;
      EXPECT_LT((found - z).cwiseAbs().maxCoeff(), tolerance);
      EXPECT_NEAR(update.level() - 0.5 * (z - mu).dot(update.form() * (z - mu)) + 0.5 * eps.squaredNorm(), log,
                  tolerance * (1 + std::abs(log)));
      EXPECT_GT(std::abs(log_normal(z, mu, sigma) - log_normal(z, mean, 2 * Dense(variance.asDiagonal())) - log), 1e-3);
    }
  }
}

TEST(GuidedUpdate, SaysThatNoiseHasCollapsed) {
  EXPECT_THROW(GuidedUpdate(Matrix::Zero(2, 2), Vector::Zero(2)), NumericalError);
  EXPECT_THROW(GuidedUpdate(Matrix::Identity(2, 2), Vector::Constant(2, -1e9)), NumericalError);
}

/// The kernels over lanes against the formulas, one particle at a time.
template <class T>
void check_kernels(WeightForm form) {
  constexpr std::int64_t rank = 3;
  Numbers numbers(5);
  std::vector<T> gain, spread, matrix, shift, centre;
  const auto take = [](const Matrix& from, std::vector<T>& to) {
    for (Eigen::Index i = 0; i < from.size(); ++i) to.push_back(static_cast<T>(from.data()[i]));
  };
  take(numbers.matrix(rank, rank), gain);
  take(numbers.factor(rank), spread);
  const Matrix half = numbers.matrix(rank, rank);
  take(half * half.transpose(), matrix);
  take(numbers.matrix(rank, block_lanes), shift);
  take(numbers.matrix(rank, block_lanes), centre);
  const Vector peak = numbers.vector(block_lanes);
  const ProposalCoefficients<T> c{.weight = form,
                                  .rank = rank,
                                  .gain = gain.data(),
                                  .spread = spread.data(),
                                  .form = matrix.data(),
                                  .shift = shift.data(),
                                  .centre = centre.data(),
                                  .peak = peak.data()};
  std::vector<T> mu, eps, z(static_cast<std::size_t>(rank * block_lanes), T(99));
  take(numbers.matrix(rank, block_lanes), mu);
  take(numbers.matrix(rank, block_lanes), eps);
  const LaneRange lanes{5, 47};
  propose(c, mu.data(), eps.data(), lanes, z.data());
  std::vector<double> weights(block_lanes, 0.5);
  add_proposal_weights(c, {mu.data(), eps.data(), z.data()}, lanes, weights.data());

  const auto at = [](const std::vector<T>& rows, std::int64_t r, std::int64_t lane) {
    return static_cast<double>(rows[static_cast<std::size_t>(r * block_lanes + lane)]);
  };
  const auto of = [](const std::vector<T>& m, std::int64_t r, std::int64_t q) {
    return static_cast<double>(m[static_cast<std::size_t>(r * rank + q)]);
  };
  // Sums of about 20 terms of order 1 to 30, whose roundings add up.
  const double tolerance = 20 * 30 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::int64_t lane = 0; lane < block_lanes; ++lane) {
    const auto p = static_cast<std::size_t>(lane);
    if (lane < lanes.begin || lane >= lanes.end) {
      EXPECT_EQ(weights[p], 0.5) << "a lane of another trial";
      for (std::int64_t r = 0; r < rank; ++r) EXPECT_EQ(at(z, r, lane), 99) << "a lane of another trial";
      continue;
    }
    double expected = 0.5 + (form == WeightForm::none ? 0 : peak[lane]);
    for (std::int64_t r = 0; r < rank; ++r) {
      double sample = at(shift, r, lane);
      for (std::int64_t q = 0; q < rank; ++q)
        sample += of(gain, r, q) * at(mu, q, lane) + of(spread, r, q) * at(eps, q, lane);
      EXPECT_NEAR(at(z, r, lane), sample, tolerance);
      if (form == WeightForm::corrected) expected += 0.5 * at(eps, r, lane) * at(eps, r, lane);
      for (std::int64_t q = 0; q < rank && form != WeightForm::none; ++q) {
        const auto argument = [&](std::int64_t i) {
          return form == WeightForm::marginal ? at(mu, i, lane) - at(centre, i, lane)
                                              : at(z, i, lane) - at(mu, i, lane);
        };
        expected -= 0.5 * of(matrix, r, q) * argument(r) * argument(q);
      }
    }
    EXPECT_NEAR(weights[p], expected, tolerance * (1 + std::abs(expected)));
  }
}

TEST(ProposalKernels, AgreeWithTheirFormulas) {
  for (const auto form : {WeightForm::marginal, WeightForm::corrected, WeightForm::none}) {
    SCOPED_TRACE(static_cast<int>(form));
    check_kernels<float>(form);
    check_kernels<double>(form);
  }
}

}  // namespace
}  // namespace rankflow::smc
