#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <vector>

#include "flow/flow.hpp"
#include "flow/training.hpp"
#include "parallel/draws.hpp"

/// What tests of flows share.
namespace rankflow::flow::testing {

inline config::VelocityOptions network_of(std::int64_t layers, std::int64_t width, std::int64_t frequencies = 0) {
  config::VelocityOptions options;
  options.hidden_layers = layers;
  options.hidden_width = width;
  options.time_frequencies = frequencies;
  return options;
}

inline std::vector<double> normal_numbers(std::size_t count, std::uint64_t seed) {
  std::vector<double> values(count);
  parallel::normal<double>(parallel::Stream(seed, parallel::Purpose::test), {}, 0, values);
  return values;
}

/// Largest difference of the distribution functions of two samples.
inline double kolmogorov_distance(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  double worst = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const double at = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= at) ++i;
    while (j < b.size() && b[j] <= at) ++j;
    worst = std::max(worst, std::abs(static_cast<double>(i) / static_cast<double>(a.size()) -
                                     static_cast<double>(j) / static_cast<double>(b.size())));
  }
  return worst;
}

inline std::vector<double> projected(std::span<const double> rows, std::span<const double> direction) {
  std::vector<double> result(rows.size() / direction.size(), 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    result[i / direction.size()] += rows[i] * direction[i % direction.size()];
  return result;
}

/// Kolmogorov and Smirnov's two-sample statistic over random directions, divided by what samples of one distribution
/// exceed with probability 1e-4 over all directions: from P(sqrt(nm / (n + m)) D > c) < 2 exp(-2 c^2).
inline double two_sample_ratio(std::span<const double> a, std::span<const double> b, std::size_t columns) {
  constexpr int directions = 24;
  constexpr double level = 1e-4;
  const auto n = static_cast<double>(a.size() / columns);
  const auto m = static_cast<double>(b.size() / columns);
  const double limit = std::sqrt(0.5 * std::log(2 * directions / level) * (n + m) / (n * m));
  std::mt19937_64 generator(9);
  std::normal_distribution<double> normal;
  double worst = 0;
  for (int k = 0; k < directions; ++k) {
    std::vector<double> direction(columns);
    for (auto& value : direction) value = normal(generator);
    worst = std::max(worst, kolmogorov_distance(projected(a, direction), projected(b, direction)));
  }
  return worst / limit;
}

/// Teaches `flow` the samples on one rank.
inline void train(Flow& flow, const TrainingSamples& samples, std::int64_t epochs, std::int64_t batch = 256) {
  config::FlowTrainingOptions options;
  options.batch = batch;
  options.average_memory = 0.99;
  options.optimiser.learning_rate = 4e-3;
  options.optimiser.final_learning_rate = 1e-5;
  options.optimiser.schedule = config::Schedule::cosine;
  const std::int64_t count = std::ssize(samples.x) / flow.network.variables();
  FlowTraining training(flow, options, 5, epochs * ((count + batch - 1) / batch));
  const parallel::Communicator serial;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) training.epoch(serial, samples, epoch);
  flow.parameters = training.parameters();
}

}  // namespace rankflow::flow::testing
