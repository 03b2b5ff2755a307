#include "connectivity/conditional_mean.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "connectivity/ridge.hpp"
#include "connectivity_support.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

using testing::matrix_of;
using testing::normals;
using testing::random_loadings;
using testing::random_states;
using testing::relative_difference;
using testing::Shape;

/// With phi(x) = x the features are m z, and n = M W with W = (S_z S_m + lambda)^-1 S_z B for y = B^T z.
TEST(ConditionalMean, IsTheFormulaForALinearGaussianNetwork) {
  const Shape shape{.neurons = 700, .activation = model::Activation::identity};
  const parallel::Communicator comm;
  const auto loadings = random_loadings(shape, 1);
  const auto m = matrix_of(loadings.m, loadings.partition);
  const auto noise = normals(2, 1400);
  // Jointly Gaussian: n = C m + noise.
  const Eigen::Matrix2d c{{1.2, -0.8}, {0.3, 1.6}};
  const Eigen::MatrixXd n = m * c.transpose() + Eigen::Map<const Eigen::MatrixXd>(noise.data(), 700, 2);
  const Eigen::MatrixXd b = m.transpose() * n / 700.0;
  const auto states = random_states(
      500, shape, 3, [&](const double* z, const double*, int r) { return b(0, r) * z[0] + b(1, r) * z[1]; });
  const Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, 2, Eigen::RowMajor>> z(states.z.data(), 500, 2);
  const Eigen::MatrixXd s_z = z.transpose() * z / 500.0;
  const Eigen::MatrixXd s_m = m.transpose() * m / 700.0;
  for (const double penalty : {1e-3, 1e-1}) {
    const Eigen::MatrixXd w = (s_z * s_m + penalty * Eigen::Matrix2d::Identity()).partialPivLu().solve(s_z * b);
    for (const auto form : {RidgeForm::neurons, RidgeForm::times, RidgeForm::reduced, RidgeForm::iterative}) {
      RidgeOptions options;
      options.penalty = penalty;
      options.form = form;
      options.tolerance = 1e-10;
      const auto solution = solve_ridge(states, loadings, options, comm);
      EXPECT_LT(relative_difference(matrix_of(solution.n, loadings.partition), m * w), 1e-8) << static_cast<int>(form);
      const auto others = random_loadings({.neurons = 30, .activation = shape.activation}, 9);
      EXPECT_LT(relative_difference(matrix_of(solution.mean(others), others.partition),
                                    matrix_of(others.m, others.partition) * w),
                1e-8);
      EXPECT_GT(relative_difference(matrix_of(solution.n, loadings.partition), n), 0.1)
          << "control: the noise of n is not in the dynamics";
    }
  }
}

/// One Gaussian of m, isotropic, with n = offset + slope (m - centre) given m.
struct Component {
  double weight = 1.0;
  Eigen::Vector2d centre{0, 0};
  double deviation = 1.0;
  Eigen::Vector2d offset{0, 0};
  Eigen::Matrix2d slope = Eigen::Matrix2d::Zero();

  double density(const Eigen::Vector2d& m) const {
    return weight * std::exp(-0.5 * (m - centre).squaredNorm() / (deviation * deviation)) / (deviation * deviation);
  }
  /// E[n phi(m z)] for phi = erf(sqrt(pi)/2 x): averages of erf over a Gaussian, and Stein's lemma for the slope.
  Eigen::Vector2d drive(const Eigen::Vector2d& z) const {
    const double pi = std::numbers::pi;
    const double mean = centre.dot(z);
    const double wide = 1.0 + 0.5 * pi * deviation * deviation * z.squaredNorm();
    const double response = std::erf(0.5 * std::sqrt(pi / wide) * mean);
    const double gain = std::exp(-0.25 * pi * mean * mean / wide) / std::sqrt(wide);
    return weight * (offset * response + slope * z * (deviation * deviation * gain));
  }
};

template <std::size_t K>
Eigen::Vector2d true_mean(const std::array<Component, K>& mixture, const Eigen::Vector2d& m) {
  Eigen::Vector2d sum{0, 0};
  double densities = 0.0;
  for (const auto& part : mixture) {
    sum += part.density(m) * (part.offset + part.slope * (m - part.centre));
    densities += part.density(m);
  }
  return sum / densities;
}

/// Relative error of the recovered E[n | m] at neurons that had no part in the solution.
template <std::size_t K>
double recovery_error(const std::array<Component, K>& mixture, std::int64_t size, std::uint64_t seed) {
  const parallel::Communicator comm;
  const Shape shape{.neurons = size, .activation = model::Activation::erf};
  const auto states = random_states(size, shape, seed, [&](const double* z, const double*, int r) {
    Eigen::Vector2d sum{0, 0};
    for (const auto& part : mixture) sum += part.drive({z[0], z[1]});
    return sum[r];
  });
  const auto drawn = [&](std::int64_t neurons, std::uint64_t stream) {
    auto loadings = random_loadings({.neurons = neurons, .activation = shape.activation}, stream);
    for (std::int64_t i = 0; i < neurons; ++i)
      for (int r = 0; r < 2; ++r) {
        const auto& part = mixture[static_cast<std::size_t>(i) % K];
        loadings.m.at(i, r) = part.centre[r] + part.deviation * loadings.m.at(i, r);
      }
    return loadings;
  };
  RidgeOptions options;
  // Slower to 0 than the sampling error of the features, so that both errors vanish.
  options.penalty = 0.005 / std::sqrt(static_cast<double>(size));
  options.form = RidgeForm::reduced;
  const auto solution = solve_ridge(states, drawn(size, seed + 1), options, comm);
  const auto others = drawn(500, seed + 2);
  const auto found = matrix_of(solution.mean(others), others.partition);
  Eigen::MatrixXd expected(500, 2);
  for (std::int64_t i = 0; i < 500; ++i)
    expected.row(i) = true_mean(mixture, {others.m.at(i, 0), others.m.at(i, 1)}).transpose();
  return relative_difference(found, expected);
}

template <std::size_t K>
void expect_recovery(const std::array<Component, K>& mixture, double at_last) {
  // Errors of single samples scatter by a fifth.
  const auto average = [&](std::int64_t size) {
    return (recovery_error(mixture, size, 1) + recovery_error(mixture, size, 11) + recovery_error(mixture, size, 21)) /
           3;
  };
  const double few = average(300);
  const double many = average(4800);
  EXPECT_LT(many, 0.75 * few);
  EXPECT_LT(many, at_last);
  EXPECT_GT(few, at_last) << "control: with few data the error is larger";
}

TEST(ConditionalMean, OfAGaussianIsRecovered) {
  expect_recovery(std::array{Component{.slope = Eigen::Matrix2d{{1.2, -0.8}, {0.8, 1.6}}}}, 0.12);
}

/// Symmetric under m -> -m, n -> -n: an odd activation sees no more of a distribution than its odd part.
TEST(ConditionalMean, OfAMixtureIsRecovered) {
  const Component one{.weight = 0.5,
                      .centre = {0.9, 0.6},
                      .deviation = 0.5,
                      .offset = {2.3, -1.0},
                      .slope = Eigen::Matrix2d{{0.5, 0.0}, {0.0, -0.5}}};
  auto other = one;
  other.centre = -one.centre;
  other.offset = -one.offset;
  expect_recovery(std::array{one, other}, 0.08);
}

TEST(ConditionalMean, RefusesLoadingsOfAnotherRank) {
  const ConditionalMean mean{.rank = 2, .inputs = 0, .z = {1, 2}, .v = {}, .weights = Eigen::MatrixXd::Ones(1, 2)};
  EXPECT_THROW(mean(random_loadings({.neurons = 5, .rank = 3}, 1)), InputDataError);
  EXPECT_NO_THROW(mean(random_loadings({.neurons = 5}, 1)));
}

}  // namespace
}  // namespace rankflow::connectivity
