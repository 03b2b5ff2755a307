#include "fit/flow_drive.hpp"

#include <algorithm>
#include <cmath>

#include "parallel/reproducible_sum.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::fit {
namespace {

/// An exact sum takes 71 words: rows are summed in blocks.
constexpr std::int64_t drive_rows_at_once = 512;

}  // namespace

std::vector<double> network_drive(const model::Network<double>& network, const connectivity::StateRows& states,
                                  const parallel::Communicator& comm) {
  const auto rank = static_cast<std::size_t>(network.rank);
  const auto inputs = static_cast<std::size_t>(network.inputs);
  std::vector<double> drive(static_cast<std::size_t>(states.count) * rank);
  std::vector<double> tile_sums(rank);
  for (std::int64_t first = 0; first < states.count; first += drive_rows_at_once) {
    const auto begin = static_cast<std::size_t>(first);
    const auto rows = static_cast<std::size_t>(std::min(drive_rows_at_once, states.count - first));
    parallel::ReproducibleSum sum(rows * rank);
    for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
      const auto weights = simulate::tile_weights(network, tile);
      for (std::size_t row = 0; row < rows; ++row) {
        simulate::latent_tile(network.activation, weights, states.z + (begin + row) * rank,
                              states.v + (begin + row) * inputs, tile_sums.data());
        for (std::size_t r = 0; r < rank; ++r) sum.add(row * rank + r, tile_sums[r]);
      }
    }
    sum.reduce(comm, std::span(drive).subspan(begin * rank, rows * rank));
  }
  const double neurons = static_cast<double>(network.neurons());
  for (double& value : drive) value /= neurons;
  return drive;
}

double drift_error(const model::Network<double>& network, const connectivity::VisitedStates& states,
                   const parallel::Communicator& comm) {
  const auto drive = network_drive(network, connectivity::rows_of(states), comm);
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < drive.size(); ++i) {
    error += (drive[i] - states.y[i]) * (drive[i] - states.y[i]);
    size += states.y[i] * states.y[i];
  }
  return std::sqrt(error / size);
}

}  // namespace rankflow::fit
