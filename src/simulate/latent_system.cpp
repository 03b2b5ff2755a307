#include "simulate/latent_system.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "model/activation.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {

using parallel::tile_size;

LatentSystem::LatentSystem(const model::Network<double>& network, model::Inputs& inputs,
                           const parallel::Communicator& comm)
    : OdeSystem(inputs),
      network_(network),
      comm_(comm),
      drive_sum_(static_cast<std::size_t>(network.rank)),
      slope_sum_(static_cast<std::size_t>(network.rank * (network.rank + network.inputs))),
      tile_sums_(drive_sum_.count()),
      drive_(drive_sum_.count()),
      slopes_(slope_sum_.count()),
      jacobian_(Eigen::MatrixXd::Zero(local_size(), local_size())),
      newton_(local_size()) {
  if (network.has_own_tau())
    throw ConfigurationError(
        "integration.space: \"latent\" needs one time constant for all neurons, found one per neuron; use \"neuron\"");
}

void LatentSystem::rhs(double t, const double* y, double* ydot) {
  const int rank = network_.rank;
  for (std::int64_t tile = 0; tile < network_.partition.tiles(); ++tile) {
    latent_tile(network_.activation, tile_weights(network_, tile), y, y + rank, tile_sums_.data());
    for (std::size_t r = 0; r < tile_sums_.size(); ++r) drive_sum_.add(r, tile_sums_[r]);
  }
  drive_sum_.reduce(comm_, drive_);
  require_finite(drive_, "latent drive kappa", t);
  const double rate = 1.0 / network_.shared_tau;
  const double neurons = static_cast<double>(network_.neurons());
  for (int r = 0; r < rank; ++r)
    ydot[r] = (drive_[static_cast<std::size_t>(r)] / neurons - network_.leak * y[r]) * rate;
  const double* u = input(t);
  for (int k = 0; k < network_.inputs; ++k) ydot[rank + k] = (u[k] - network_.leak * y[rank + k]) * rate;
}

std::size_t LatentSystem::slope_index(int row, int column) const {
  const int index = row * (network_.rank + network_.inputs) + column;
  return static_cast<std::size_t>(index);
}

void LatentSystem::add_tile_slopes(std::int64_t tile, const double* y) {
  const auto weights = tile_weights(network_, tile);
  alignas(64) std::array<double, tile_size> slopes;
  alignas(64) std::array<double, tile_size> left;
  drive_tile(weights, y, y + network_.rank, slopes.data());
  model::tile_slopes(network_.activation, slopes.data(), weights.bias, slopes.data(), weights.count);
  const int columns = network_.rank + network_.inputs;
  for (int r = 0; r < network_.rank; ++r) {
    const double* n = weights.n + r * tile_size;
    for (std::int64_t i = 0; i < weights.count; ++i)
      left[static_cast<std::size_t>(i)] = n[i] * slopes[static_cast<std::size_t>(i)];
    for (int c = 0; c < columns; ++c) {
      const double* column =
          c < network_.rank ? weights.m + c * tile_size : weights.input_weights + (c - network_.rank) * tile_size;
      slope_sum_.add(slope_index(r, c), tile_dot(left.data(), column, weights.count));
    }
  }
}

void LatentSystem::evaluate_jacobian(const double* y) {
  for (std::int64_t tile = 0; tile < network_.partition.tiles(); ++tile) add_tile_slopes(tile, y);
  slope_sum_.reduce(comm_, slopes_);
  const int columns = network_.rank + network_.inputs;
  const double scale = 1.0 / (network_.shared_tau * static_cast<double>(network_.neurons()));
  for (int r = 0; r < network_.rank; ++r)
    for (int c = 0; c < columns; ++c) jacobian_(r, c) = slopes_[slope_index(r, c)] * scale;
  for (int r = network_.rank; r < columns; ++r) jacobian_(r, r) = 0.0;
  jacobian_.diagonal().array() -= network_.leak / network_.shared_tau;
}

bool LatentSystem::newton_solve(double gamma, const double* y, const double* b, double* x) {
  evaluate_jacobian(y);
  newton_.matrix() = -gamma * jacobian_;
  newton_.matrix().diagonal().array() += 1.0;
  newton_.right_side() = Eigen::Map<const Eigen::VectorXd>(b, local_size());
  if (!newton_.solve()) return false;
  std::copy_n(newton_.solution().data(), local_size(), x);
  return true;
}

void LatentSystem::jacobian_times(const double* y, const double* v, double* jv) {
  evaluate_jacobian(y);
  Eigen::Map<Eigen::VectorXd>(jv, local_size()).noalias() =
      jacobian_ * Eigen::Map<const Eigen::VectorXd>(v, local_size());
}

}  // namespace rankflow::simulate
