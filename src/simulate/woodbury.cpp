#include "simulate/woodbury.hpp"

#include <array>

#include "model/activation.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {

using parallel::tile_size;

Woodbury::Woodbury(const model::Network<double>& network, const parallel::Communicator& comm)
    : network_(network),
      comm_(comm),
      population_sum_(static_cast<std::size_t>(network.rank * (network.rank + 1))),
      sums_(population_sum_.count()),
      small_(network.rank) {}

double Woodbury::tau(std::int64_t tile, std::int64_t i) const {
  return network_.has_own_tau() ? network_.tau.tile(tile, 0)[i] : network_.shared_tau;
}

std::size_t Woodbury::index(int row, int column) const {
  const int position = row * (network_.rank + 1) + column;
  return static_cast<std::size_t>(position);
}

void Woodbury::add_tile_sums(std::int64_t tile, double gamma, const double* y, const double* b) {
  const auto weights = tile_weights(network_, tile);
  alignas(64) std::array<double, tile_size> slopes;
  alignas(64) std::array<double, tile_size> right;
  alignas(64) std::array<double, tile_size> left;
  model::tile_slopes(network_.activation, y, weights.bias, slopes.data(), weights.count);
  // Padding has no time constant of its own: 0/0 must not enter, though its weights are 0.
  const std::int64_t neurons = network_.partition.tile_count(tile);
  for (std::int64_t i = 0; i < weights.count; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const double own = i < neurons ? tau(tile, i) : 1.0;
    slopes[k] /= own + gamma * network_.leak;
    right[k] = slopes[k] * own * b[i];
  }
  const int rank = network_.rank;
  for (int r = 0; r < rank; ++r) {
    const double* n = weights.n + r * tile_size;
    for (std::int64_t i = 0; i < weights.count; ++i)
      left[static_cast<std::size_t>(i)] = n[i] * slopes[static_cast<std::size_t>(i)];
    for (int s = 0; s < rank; ++s)
      population_sum_.add(index(r, s), tile_dot(left.data(), weights.m + s * tile_size, weights.count));
    population_sum_.add(index(r, rank), tile_dot(n, right.data(), weights.count));
  }
}

bool Woodbury::solve_small(double gamma) {
  const int rank = network_.rank;
  const double neurons = static_cast<double>(network_.neurons());
  const auto mean = [&](int row, int column) { return sums_[index(row, column)] / neurons; };
  for (int r = 0; r < rank; ++r) {
    for (int s = 0; s < rank; ++s) small_.matrix()(r, s) = (r == s ? 1.0 : 0.0) - gamma * mean(r, s);
    small_.right_side()[r] = mean(r, rank);
  }
  return small_.solve();
}

void Woodbury::write_tile(std::int64_t tile, double gamma, const double* b, double* x) const {
  const auto weights = tile_weights(network_, tile);
  alignas(64) std::array<double, tile_size> correction;
  TileWeights<double> without_inputs = weights;
  without_inputs.inputs = 0;
  drive_tile<double>(without_inputs, small_.solution().data(), nullptr, correction.data());
  for (std::int64_t i = 0; i < network_.partition.tile_count(tile); ++i) {
    const double own = tau(tile, i);
    x[i] = (own * b[i] + gamma * correction[static_cast<std::size_t>(i)]) / (own + gamma * network_.leak);
  }
}

bool Woodbury::solve(double gamma, const double* y, const double* b, double* x) {
  const std::int64_t tiles = network_.partition.tiles();
  for (std::int64_t tile = 0; tile < tiles; ++tile)
    add_tile_sums(tile, gamma, y + tile * tile_size, b + tile * tile_size);
  population_sum_.reduce(comm_, sums_);
  if (!solve_small(gamma)) return false;
  for (std::int64_t tile = 0; tile < tiles; ++tile) write_tile(tile, gamma, b + tile * tile_size, x + tile * tile_size);
  return true;
}

}  // namespace rankflow::simulate
