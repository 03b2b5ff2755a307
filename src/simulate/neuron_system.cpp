#include "simulate/neuron_system.hpp"

#include <algorithm>
#include <array>

#include "model/activation.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {

using parallel::tile_size;

NeuronSystem::NeuronSystem(const model::Network<double>& network, const model::Bulk* bulk, model::Inputs& inputs,
                           const parallel::Communicator& comm)
    : OdeSystem(inputs),
      network_(network),
      bulk_(bulk),
      comm_(comm),
      woodbury_(network, comm),
      population_sum_(static_cast<std::size_t>(network.rank)),
      tile_sums_(population_sum_.count()),
      kappa_(population_sum_.count()) {
  if (bulk_ == nullptr) return;
  rates_ = model::NeuronArray<double>(network.partition, 1);
  current_ = model::NeuronArray<double>(network.partition, 1);
}

void NeuronSystem::add_sums(std::span<const double> tile_sums) {
  for (std::size_t r = 0; r < tile_sums.size(); ++r) population_sum_.add(r, tile_sums[r]);
}

void NeuronSystem::reduce() {
  population_sum_.reduce(comm_, kappa_);
  for (double& kappa : kappa_) kappa /= static_cast<double>(network_.neurons());
}

void NeuronSystem::apply_bulk() {
  if (bulk_ == nullptr) return;
  std::ranges::fill(current_.values(), 0.0);
  bulk_->add_product(rates_, current_);
}

void NeuronSystem::write_tile(std::int64_t tile, const double* u, const double* x, double* out) const {
  auto weights = tile_weights(network_, tile);
  if (u == nullptr) weights.inputs = 0;
  alignas(64) std::array<double, tile_size> drive;
  drive_tile<double>(weights, kappa_.data(), u, drive.data());
  const std::int64_t count = network_.partition.tile_count(tile);
  const double leak = network_.leak;
  if (bulk_ != nullptr) {
    const double* current = current_.tile(tile, 0);
    for (std::int64_t i = 0; i < count; ++i) drive[static_cast<std::size_t>(i)] += current[i];
  }
  if (network_.has_own_tau()) {
    const double* tau = network_.tau.tile(tile, 0);
    for (std::int64_t i = 0; i < count; ++i) out[i] = (drive[static_cast<std::size_t>(i)] - leak * x[i]) / tau[i];
  } else {
    const double rate = 1.0 / network_.shared_tau;
    for (std::int64_t i = 0; i < count; ++i) out[i] = (drive[static_cast<std::size_t>(i)] - leak * x[i]) * rate;
  }
}

void NeuronSystem::rhs(double t, const double* y, double* ydot) {
  const std::int64_t tiles = network_.partition.tiles();
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    double* rates = bulk_ == nullptr ? nullptr : rates_.tile(tile, 0);
    readout_tile(network_.activation, tile_weights(network_, tile), y + tile * tile_size, rates, tile_sums_.data());
    add_sums(tile_sums_);
  }
  reduce();
  require_finite(kappa_, "latent drive kappa", t);
  apply_bulk();
  const double* u = input(t);
  for (std::int64_t tile = 0; tile < tiles; ++tile)
    write_tile(tile, network_.inputs == 0 ? nullptr : u, y + tile * tile_size, ydot + tile * tile_size);
}

bool NeuronSystem::newton_solve(double gamma, const double* y, const double* b, double* x) {
  return woodbury_.solve(gamma, y, b, x);
}

/// J v: the right-hand side with phi'(y) v in place of phi and v in place of x, without inputs.
void NeuronSystem::jacobian_times(const double* y, const double* v, double* jv) {
  const std::int64_t tiles = network_.partition.tiles();
  alignas(64) std::array<double, tile_size> changes;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const auto weights = tile_weights(network_, tile);
    double* change = bulk_ == nullptr ? changes.data() : rates_.tile(tile, 0);
    model::tile_slopes(network_.activation, y + tile * tile_size, weights.bias, change, weights.count);
    for (std::int64_t i = 0; i < weights.count; ++i) change[i] *= v[tile * tile_size + i];
    for (int r = 0; r < network_.rank; ++r)
      tile_sums_[static_cast<std::size_t>(r)] = tile_dot(weights.n + r * tile_size, change, weights.count);
    add_sums(tile_sums_);
  }
  reduce();
  apply_bulk();
  for (std::int64_t tile = 0; tile < tiles; ++tile)
    write_tile(tile, nullptr, v + tile * tile_size, jv + tile * tile_size);
}

}  // namespace rankflow::simulate
