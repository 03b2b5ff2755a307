#pragma once
// Hand-made networks for the tests of the SUNDIALS engine: every weight follows from (seed, neuron) alone.
#include <cmath>
#include <numbers>
#include <vector>

#include "model/bulk.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/draws.hpp"

namespace rankflow::simulate::test {

struct NetworkRecipe {
  std::int64_t neurons = 1000;
  int rank = 2;
  int inputs = 1;
  model::Activation activation = model::Activation::tanh;
  double overlap = 1.5;  ///< E[n_r m_r]
  bool bias = false;
  bool own_tau = false;  ///< log-uniform in [tau_minimum, tau_maximum]
  double tau_minimum = 1e-4, tau_maximum = 1.0;
  double leak = 1.0;
  double tau = 0.1;  ///< shared
  std::uint64_t seed = 5;
};

/// n = overlap m + a rotation of m + noise, so that trajectories move.
inline model::Network<double> make_network(const NetworkRecipe& recipe, const parallel::Communicator& comm) {
  model::Network<double> network;
  network.partition = parallel::Partition(recipe.neurons, comm.size(), comm.rank());
  network.rank = recipe.rank;
  network.inputs = recipe.inputs;
  network.activation = recipe.activation;
  network.leak = recipe.leak;
  network.shared_tau = recipe.tau;
  network.m = model::NeuronArray<double>(network.partition, recipe.rank);
  network.n = model::NeuronArray<double>(network.partition, recipe.rank);
  network.input_weights = model::NeuronArray<double>(network.partition, recipe.inputs);
  if (recipe.bias) network.bias = model::NeuronArray<double>(network.partition, 1);
  if (recipe.own_tau) network.tau = model::NeuronArray<double>(network.partition, 1);
  const parallel::Stream stream(recipe.seed, parallel::Purpose::test);
  std::vector<double> normals(static_cast<std::size_t>(2 * recipe.rank + recipe.inputs + 2));
  for (std::int64_t i = 0; i < network.partition.count(); ++i) {
    const auto neuron = static_cast<std::uint32_t>(network.partition.begin() + i);
    parallel::normal<double>(stream, {.trial = 0, .step = neuron}, 0, normals);
    const auto draw = [&](int k) { return normals[static_cast<std::size_t>(k)]; };
    for (int r = 0; r < recipe.rank; ++r) {
      network.m.at(i, r) = draw(r);
      const double other = recipe.rank > 1 ? draw((r + 1) % recipe.rank) * (r % 2 == 0 ? 0.8 : -0.8) : 0.0;
      network.n.at(i, r) = recipe.overlap * draw(r) + other + 0.5 * draw(recipe.rank + r);
    }
    for (int k = 0; k < recipe.inputs; ++k) network.input_weights.at(i, k) = draw(2 * recipe.rank + k);
    if (recipe.bias) network.bias.at(i, 0) = 0.5 * draw(2 * recipe.rank + recipe.inputs);
    if (recipe.own_tau) {
      const double share = 0.5 + 0.5 * std::erf(draw(2 * recipe.rank + recipe.inputs + 1) / std::numbers::sqrt2);
      network.tau.at(i, 0) = recipe.tau_minimum * std::pow(recipe.tau_maximum / recipe.tau_minimum, share);
    }
  }
  return network;
}

/// A bulk whose product is easy to write down: y_i += gain r_((i + 1) mod N), on one rank only.
class ShiftBulk final : public model::Bulk {
 public:
  ShiftBulk(std::int64_t neurons, double gain) : neurons_(neurons), gain_(gain) {}
  void add_product(const model::NeuronArray<double>& rates, model::NeuronArray<double>& out) const override {
    for (std::int64_t i = 0; i < neurons_; ++i) out.at(i, 0) += gain_ * rates.at((i + 1) % neurons_, 0);
  }
  std::uint64_t bytes() const override { return 0; }

 private:
  std::int64_t neurons_;
  double gain_;
};

}  // namespace rankflow::simulate::test
