#include "simulate/tile_kernels.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "model/activation.hpp"
#include "parallel/draws.hpp"

namespace rankflow::simulate {
namespace {

using model::NeuronArray;
using parallel::Partition;

template <class T>
NeuronArray<T> random_array(const Partition& partition, int columns, std::uint32_t tag) {
  NeuronArray<T> array(partition, columns);
  const parallel::Stream stream(9, parallel::Purpose::test);
  std::vector<double> values(static_cast<std::size_t>(partition.count()));
  for (int c = 0; c < columns; ++c) {
    parallel::normal<double>(stream, {.trial = tag, .step = static_cast<std::uint32_t>(c)}, 0, values);
    for (std::int64_t i = 0; i < partition.count(); ++i)
      array.at(i, c) = static_cast<T>(values[static_cast<std::size_t>(i)]);
  }
  return array;
}

template <class T>
model::Network<T> random_network(std::int64_t neurons, int rank, int inputs, bool bias) {
  model::Network<T> network;
  network.partition = Partition(neurons, 1, 0);
  network.rank = rank;
  network.inputs = inputs;
  network.m = random_array<T>(network.partition, rank, 1);
  network.n = random_array<T>(network.partition, rank, 2);
  network.input_weights = random_array<T>(network.partition, inputs, 3);
  if (bias) network.bias = random_array<T>(network.partition, 1, 4);
  return network;
}

/// The slow, obvious step of one neuron, in long double.
template <class T>
struct Oracle {
  const model::Network<T>& network;
  const std::vector<T>& kappa;
  const std::vector<T>& u;

  long double drive(std::int64_t i) const {
    long double sum = 0;
    for (int r = 0; r < network.rank; ++r)
      sum += static_cast<long double>(network.m.at(i, r)) * kappa[static_cast<std::size_t>(r)];
    for (int k = 0; k < network.inputs; ++k)
      sum += static_cast<long double>(network.input_weights.at(i, k)) * u[static_cast<std::size_t>(k)];
    return sum;
  }
  long double rate(std::int64_t i, long double x) const {
    return std::tanh(x + (network.has_bias() ? static_cast<long double>(network.bias.at(i, 0)) : 0.0L));
  }
};

template <class T>
void expect_step_near_oracle(int rank, int inputs, bool bias, bool extras) {
  const std::int64_t neurons = 700;  // a whole tile and a partial one
  const auto network = random_network<T>(neurons, rank, inputs, bias);
  const std::vector<T> kappa(static_cast<std::size_t>(rank), T(0.3));
  const std::vector<T> u(static_cast<std::size_t>(inputs), T(-0.7));
  auto x = random_array<T>(network.partition, 1, 5);
  const auto before = random_array<T>(network.partition, 1, 5);
  const auto gains = random_array<T>(network.partition, 1, 6);
  const auto extra = random_array<T>(network.partition, 1, 7);
  const auto noise = random_array<T>(network.partition, 1, 8);
  const Oracle<T> oracle{network, kappa, u};
  const T tolerance = 64 * std::numeric_limits<T>::epsilon();
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
    TileUpdate<T> update{.leak = T(0.9), .gain = T(0.1)};
    if (extras) {
      update.gains = gains.tile(tile, 0);
      update.extra = extra.tile(tile, 0);
      update.noise = noise.tile(tile, 0);
    }
    std::vector<T> sums(static_cast<std::size_t>(rank));
    step_tile<T>(model::Activation::tanh, tile_weights(network, tile), update, kappa.data(), u.data(), x.tile(tile, 0),
                 nullptr, sums.data());
    std::vector<long double> expected(static_cast<std::size_t>(rank), 0.0L);
    for (std::int64_t i = tile * parallel::tile_size; i < std::min(neurons, (tile + 1) * parallel::tile_size); ++i) {
      const long double gain = extras ? gains.at(i, 0) : T(0.1);
      const long double drive = oracle.drive(i) + (extras ? extra.at(i, 0) : T(0));
      const long double next = before.at(i, 0) + gain * (drive - static_cast<long double>(T(0.9)) * before.at(i, 0)) +
                               (extras ? noise.at(i, 0) : T(0));
      EXPECT_NEAR(static_cast<double>(x.at(i, 0)), static_cast<double>(next), 20 * tolerance);
      for (int r = 0; r < rank; ++r) expected[static_cast<std::size_t>(r)] += network.n.at(i, r) * oracle.rate(i, next);
    }
    for (int r = 0; r < rank; ++r)
      // Rounding of a sum of 512 terms of size 1 in 8 or 16 lanes.
      EXPECT_NEAR(static_cast<double>(sums[static_cast<std::size_t>(r)]),
                  static_cast<double>(expected[static_cast<std::size_t>(r)]), 512 * tolerance)
          << "rank " << rank << " sum " << r;
  }
}

TEST(TileKernels, StepMatchesOracleForEveryRankPath) {
  for (const int rank : {1, 2, 3, 4, 5, 9}) {
    expect_step_near_oracle<double>(rank, 0, false, false);
    expect_step_near_oracle<double>(rank, 2, true, true);
    expect_step_near_oracle<float>(rank, 1, true, true);
  }
}

TEST(TileKernels, LatentSumEqualsReadoutOfItsOwnPotentials) {
  for (const int rank : {1, 2, 3, 4, 6}) {
    const auto network = random_network<double>(1300, rank, 2, true);
    const std::vector<double> z(static_cast<std::size_t>(rank), 0.4);
    const std::vector<double> v{0.2, -0.9};
    alignas(64) std::array<double, parallel::tile_size> x{};
    std::vector<double> direct(static_cast<std::size_t>(rank));
    std::vector<double> through(static_cast<std::size_t>(rank));
    for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
      const auto weights = tile_weights(network, tile);
      latent_tile(network.activation, weights, z.data(), v.data(), direct.data());
      drive_tile(weights, z.data(), v.data(), x.data());
      readout_tile<double>(network.activation, weights, x.data(), nullptr, through.data());
      EXPECT_EQ(direct, through);
      x[0] += 0.5;
      readout_tile<double>(network.activation, weights, x.data(), nullptr, through.data());
      EXPECT_NE(direct, through) << "control: another potential gives another sum";
    }
  }
}

TEST(TileKernels, PaddingNeverCounts) {
  auto network = random_network<double>(513, 2, 0, false);
  std::vector<double> sums(2);
  const std::vector<double> z{0.5, 0.5};
  latent_tile<double>(model::Activation::sigmoid, tile_weights(network, 1), z.data(), nullptr, sums.data());
  const double s = network.m.at(512, 0) * 0.5 + network.m.at(512, 1) * 0.5;
  EXPECT_NEAR(sums[0], network.n.at(512, 0) / (1 + std::exp(-s)), 1e-14);
}

}  // namespace
}  // namespace rankflow::simulate
