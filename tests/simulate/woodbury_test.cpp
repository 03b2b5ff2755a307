#include "simulate/woodbury.hpp"

#include <gtest/gtest.h>
#include <tuple>

#include "model/activation.hpp"
#include "simulate/latent_system.hpp"
#include "simulate/neuron_system.hpp"
#include "simulate/sundials_networks.hpp"

namespace rankflow::simulate {
namespace {

using parallel::tile_size;

Eigen::VectorXd draw(Eigen::Index count, std::uint32_t step) {
  Eigen::VectorXd values(count);
  parallel::normal<double>(parallel::Stream(3, parallel::Purpose::test), {.trial = 9, .step = step}, 0,
                           std::span(values.data(), static_cast<std::size_t>(count)));
  return values;
}

/// A vector of neurons in tiles.
model::NeuronArray<double> tiled(const parallel::Partition& partition, const Eigen::VectorXd& values) {
  model::NeuronArray<double> array(partition, 1);
  for (Eigen::Index i = 0; i < values.size(); ++i) array.at(i, 0) = values[i];
  return array;
}

/// Jacobian column by column from the slopes: the oracle.
Eigen::MatrixXd dense_jacobian(const model::Network<double>& network, const Eigen::VectorXd& x) {
  const auto neurons = static_cast<Eigen::Index>(network.neurons());
  Eigen::MatrixXd jacobian(neurons, neurons);
  for (Eigen::Index j = 0; j < neurons; ++j) {
    alignas(64) double potential[16] = {x[j]};
    alignas(64) double bias[16] = {network.has_bias() ? network.bias.at(j, 0) : 0.0};
    alignas(64) double slope[16];
    model::tile_slopes(network.activation, potential, bias, slope, 16);
    for (Eigen::Index i = 0; i < neurons; ++i) {
      double sum = 0;
      for (int r = 0; r < network.rank; ++r) sum += network.m.at(i, r) * network.n.at(j, r);
      jacobian(i, j) = sum * slope[0] / static_cast<double>(neurons);
    }
    jacobian(j, j) -= network.leak;
  }
  for (Eigen::Index i = 0; i < neurons; ++i)
    jacobian.row(i) /= network.has_own_tau() ? network.tau.at(i, 0) : network.shared_tau;
  return jacobian;
}

using Case = std::tuple<int, int, bool, model::Activation>;  // neurons, rank, own time constants, activation
class WoodburyCases : public testing::TestWithParam<Case> {};

TEST_P(WoodburyCases, EqualsTheDenseSolve) {
  const auto [neurons, rank, own_tau, activation] = GetParam();
  const parallel::Communicator comm;
  const auto network = test::make_network(
      {.neurons = neurons, .rank = rank, .activation = activation, .bias = own_tau, .own_tau = own_tau, .leak = 0.7},
      comm);
  Woodbury woodbury(network, comm);
  const Eigen::VectorXd x = draw(neurons, 1);
  const Eigen::VectorXd b = draw(neurons, 2);
  const auto state = tiled(network.partition, x);
  for (const double gamma : {1e-4, 0.02, 3.0}) {
    auto solution = tiled(network.partition, b);
    double* in_place = solution.values().data();
    ASSERT_TRUE(woodbury.solve(gamma, state.values().data(), in_place, in_place));
    const Eigen::MatrixXd newton = Eigen::MatrixXd::Identity(neurons, neurons) - gamma * dense_jacobian(network, x);
    const Eigen::VectorXd expected = newton.partialPivLu().solve(b);
    const Eigen::Map<const Eigen::VectorXd> found(solution.values().data(), neurons);
    EXPECT_LT((found - expected).norm(), 1e-12 * expected.norm()) << "gamma " << gamma;
    EXPECT_GT((found - b).norm(), 1e-6 * expected.norm()) << "control: the matrix is not the identity";
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, WoodburyCases,
                         testing::Combine(testing::Values(5, 300, 600), testing::Values(1, 3, 6), testing::Bool(),
                                          testing::Values(model::Activation::tanh, model::Activation::relu,
                                                          model::Activation::sigmoid)));

TEST(Woodbury, ReportsASingularMatrix) {
  const parallel::Communicator comm;
  auto network =
      test::make_network({.neurons = 1, .rank = 1, .inputs = 0, .activation = model::Activation::identity}, comm);
  network.m.at(0, 0) = 1.0;
  network.n.at(0, 0) = 3.0;
  network.shared_tau = 1.0;
  Woodbury woodbury(network, comm);
  const auto state = tiled(network.partition, Eigen::VectorXd::Ones(1));
  auto x = tiled(network.partition, Eigen::VectorXd::Ones(1));
  // J = 3 - 1 = 2: I - gamma J vanishes at gamma = 1/2.
  EXPECT_FALSE(woodbury.solve(0.5, state.values().data(), state.values().data(), x.values().data()));
  EXPECT_TRUE(woodbury.solve(0.25, state.values().data(), state.values().data(), x.values().data()));
  EXPECT_NEAR(x.at(0, 0), 2.0, 1e-14);
}

/// Directional derivative of the right-hand side by central differences.
template <class System>
std::vector<double> difference(System& system, const model::NeuronArray<double>& y,
                               const model::NeuronArray<double>& v) {
  const double h = 1e-5;
  std::vector<double> result(y.size());
  for (const double sign : {1.0, -1.0}) {
    model::NeuronArray<double> shifted(parallel::Partition(static_cast<std::int64_t>(y.size()), 1, 0), 1);
    model::NeuronArray<double> slope(parallel::Partition(static_cast<std::int64_t>(y.size()), 1, 0), 1);
    for (std::size_t i = 0; i < y.size(); ++i) shifted.values()[i] = y.values()[i] + sign * h * v.values()[i];
    system.rhs(0.0, shifted.values().data(), slope.values().data());
    for (std::size_t i = 0; i < y.size(); ++i) result[i] += sign * slope.values()[i] / (2 * h);
  }
  return result;
}

template <class System>
double jacobian_error(System& system, const model::NeuronArray<double>& y, const model::NeuronArray<double>& v) {
  model::NeuronArray<double> product(parallel::Partition(static_cast<std::int64_t>(y.size()), 1, 0), 1);
  system.jacobian_times(y.values().data(), v.values().data(), product.values().data());
  const auto expected = difference(system, y, v);
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    error += std::pow(product.values()[i] - expected[i], 2);
    norm += std::pow(expected[i], 2);
  }
  return std::sqrt(error / norm);
}

TEST(NeuronSystem, JacobianTimesIsTheDerivativeOfTheRightHandSide) {
  const parallel::Communicator comm;
  for (const bool own_tau : {false, true}) {
    const auto network = test::make_network({.neurons = 700, .bias = true, .own_tau = own_tau}, comm);
    model::Inputs inputs({}, 1, 1e-3, network.inputs, 1);
    const test::ShiftBulk bulk(700, 0.9);
    const auto y = tiled(network.partition, draw(700, 1));
    const auto v = tiled(network.partition, draw(700, 2));
    NeuronSystem with(network, &bulk, inputs, comm);
    NeuronSystem without(network, nullptr, inputs, comm);
    EXPECT_LT(jacobian_error(with, y, v), 1e-8);
    EXPECT_LT(jacobian_error(without, y, v), 1e-8);
    EXPECT_FALSE(with.newton_is_exact());
    EXPECT_TRUE(without.newton_is_exact());
    std::vector<double> a(y.size()), b(y.size());
    with.jacobian_times(y.values().data(), v.values().data(), a.data());
    without.jacobian_times(y.values().data(), v.values().data(), b.data());
    EXPECT_NE(a, b) << "control: the bulk is in the product";
  }
}

TEST(LatentSystem, NewtonSolveInvertsTheMatrixOfJacobianTimes) {
  const parallel::Communicator comm;
  const auto network = test::make_network({.neurons = 900, .rank = 3, .inputs = 2, .bias = true, .leak = 0.8}, comm);
  model::Inputs inputs({}, 1, 1e-3, network.inputs, 1);
  LatentSystem system(network, inputs, comm);
  const Eigen::VectorXd y = draw(5, 1);
  const Eigen::VectorXd b = draw(5, 2);
  const double gamma = 0.05;
  Eigen::VectorXd x(5), product(5);
  ASSERT_TRUE(system.newton_solve(gamma, y.data(), b.data(), x.data()));
  system.jacobian_times(y.data(), x.data(), product.data());
  EXPECT_LT((x - gamma * product - b).norm(), 1e-12 * b.norm());
  EXPECT_GT((x - b).norm(), 1e-3 * b.norm()) << "control";

  Eigen::VectorXd difference = Eigen::VectorXd::Zero(5), slope(5);
  for (const double sign : {1.0, -1.0}) {
    const Eigen::VectorXd shifted = y + sign * 1e-5 * x;
    system.rhs(0.0, shifted.data(), slope.data());
    difference += sign * slope / 2e-5;
  }
  EXPECT_LT((difference - product).norm(), 1e-8 * product.norm());
}

}  // namespace
}  // namespace rankflow::simulate
