#pragma once
// Small networks and what their latents visit, and the resolution matrix by the book.
#include <cmath>
#include <cstdint>
#include <vector>

#include <Eigen/Dense>

#include "analysis/identifiability.hpp"
#include "core/error.hpp"
#include "model/activation.hpp"
#include "parallel/draws.hpp"

namespace rankflow::analysis {

using Matrix = Eigen::MatrixXd;

struct NetworkPlan {
  std::int64_t neurons = 150;
  int rank = 2;
  int inputs = 0;
  bool bias = false;
  model::Activation activation = model::Activation::tanh;
  std::uint64_t seed = 1;
};

inline std::vector<double> drawn(std::uint64_t seed, std::uint32_t index, std::int64_t first, std::int64_t count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  parallel::normal({seed, parallel::Purpose::test}, {.index = index}, static_cast<std::uint64_t>(first),
                   std::span(values));
  return values;
}

/// Standard normal m, b, d; n = m + normal. This rank's neurons.
inline model::Network<double> drawn_network(const NetworkPlan& plan, int ranks = 1, int rank = 0) {
  model::Network<double> network;
  network.partition = parallel::Partition(plan.neurons, ranks, rank);
  network.rank = plan.rank;
  network.inputs = plan.inputs;
  network.activation = plan.activation;
  network.m = model::NeuronArray<double>(network.partition, plan.rank);
  network.n = model::NeuronArray<double>(network.partition, plan.rank);
  network.input_weights = model::NeuronArray<double>(network.partition, plan.inputs);
  if (plan.bias) network.bias = model::NeuronArray<double>(network.partition, 1);
  const auto fill = [&](model::NeuronArray<double>& array, int column, std::uint32_t index) {
    const auto values = drawn(plan.seed, index, network.partition.begin(), network.partition.count());
    for (std::int64_t i = 0; i < network.partition.count(); ++i)
      array.at(i, column) += values[static_cast<std::size_t>(i)];
  };
  for (int r = 0; r < plan.rank; ++r) {
    const auto index = static_cast<std::uint32_t>(r);
    fill(network.m, r, index);
    fill(network.n, r, index);
    fill(network.n, r, 10 + index);
  }
  for (int k = 0; k < plan.inputs; ++k) fill(network.input_weights, k, static_cast<std::uint32_t>(20 + k));
  if (plan.bias) fill(network.bias, 0, 30);
  return network;
}

/// Random states, and the drive of the network there with noise added. All neurons on this rank.
inline connectivity::VisitedStates drawn_states(const model::Network<double>& network, std::int64_t rows, double noise,
                                                std::uint64_t seed = 5) {
  connectivity::VisitedStates states;
  states.rows = rows;
  states.rank = network.rank;
  states.inputs = network.inputs;
  states.alpha = 0.1;
  states.z = drawn(seed, 40, 0, rows * network.rank);
  states.v = drawn(seed, 41, 0, rows * network.inputs);
  const auto rest = drawn(seed, 42, 0, rows * network.rank);
  for (const double value : rest) states.y.push_back(noise * value);
  return states;
}

/// phi(m z + b v, d) at all rows [T, N].
inline Matrix feature_table(const model::Network<double>& network, const connectivity::VisitedStates& states) {
  Matrix features(states.rows, network.neurons());
  for (std::int64_t t = 0; t < states.rows; ++t)
    for (std::int64_t i = 0; i < network.neurons(); ++i) {
      double x = 0;
      for (int r = 0; r < network.rank; ++r)
        x += network.m.at(i, r) * states.z[static_cast<std::size_t>(t * network.rank + r)];
      for (int k = 0; k < network.inputs; ++k)
        x += network.input_weights.at(i, k) * states.v[static_cast<std::size_t>(t * network.inputs + k)];
      const double d = network.has_bias() ? network.bias.at(i, 0) : 0.0;
      features(t, i) = network.activation == model::Activation::identity ? x + d : std::tanh(x + d);
    }
  return features;
}

inline Matrix array_table(const model::NeuronArray<double>& array, std::int64_t neurons) {
  Matrix table(neurons, array.columns());
  for (std::int64_t i = 0; i < neurons; ++i)
    for (int c = 0; c < array.columns(); ++c) table(i, c) = array.at(i, c);
  return table;
}

/// Adds the drive by the network's n.
inline void add_drive(const model::Network<double>& network, connectivity::VisitedStates& states) {
  const Matrix drive = feature_table(network, states) * array_table(network.n, network.neurons()) /
                       static_cast<double>(network.neurons());
  for (std::int64_t t = 0; t < states.rows; ++t)
    for (int r = 0; r < states.rank; ++r) states.y[static_cast<std::size_t>(t * states.rank + r)] += drive(t, r);
}

/// H = C (C + lambda)^-1 with C = Phi^T Phi / (N T), by the book [N, N].
inline Matrix resolution_matrix(const Matrix& features, double penalty) {
  const auto neurons = features.cols();
  const Matrix gram =
      features.transpose() * features / (static_cast<double>(neurons) * static_cast<double>(features.rows()));
  const Matrix shifted = gram + penalty * Matrix::Identity(neurons, neurons);
  return shifted.ldlt().solve(gram);
}

inline IdentifiabilityReport analyzed(const model::Network<double>& network, const connectivity::VisitedStates& states,
                                      const config::IdentifiabilityOptions& options,
                                      const parallel::Communicator& comm = {}) {
  return analyze_identifiability({network, states, {.description = "a test"}}, options, comm);
}

inline const NamedFunctional& functional_named(const IdentifiabilityReport& report, const std::string& name) {
  for (const auto& functional : report.functionals)
    if (functional.name == name) return functional;
  throw InternalError("no functional {}", name);
}

inline const Condition& condition_named(const IdentifiabilityReport& report, const std::string& name) {
  for (const auto& condition : report.conditions)
    if (condition.name == name) return condition;
  throw InternalError("no condition {}", name);
}

}  // namespace rankflow::analysis
