#include "simulate/run_layout.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace rankflow::simulate {
namespace {

using parallel::tile_size;

/// Tiles written per collective round: about 4 MiB.
constexpr std::int64_t tiles_per_round = 1024;

bool stores_potentials(const config::SimulateOptions& options) {
  return options.output.final_state && options.integration.space == config::Space::neuron;
}

/// Potentials of all trials, in rounds of bounded memory that every rank takes part in.
void write_potentials(io::RunFile& file, const parallel::Partition& partition, const StateView& state,
                      const parallel::Communicator& comm) {
  std::int64_t rounds = (partition.tiles() + tiles_per_round - 1) / tiles_per_round;
  comm.maximum(std::span(&rounds, 1));
  std::vector<double> values(static_cast<std::size_t>(std::min(tiles_per_round, partition.tiles()) * tile_size));
  alignas(64) std::array<double, tile_size> potentials;
  for (int trial = 0; trial < state.trials(); ++trial) {
    for (std::int64_t round = 0; round < rounds; ++round) {
      const std::int64_t first = std::min(round * tiles_per_round, partition.tiles());
      const std::int64_t end = std::min(first + tiles_per_round, partition.tiles());
      for (std::int64_t tile = first; tile < end; ++tile) {
        state.tile_potentials(trial, tile, potentials.data());
        std::ranges::copy(potentials, values.begin() + (tile - first) * tile_size);
      }
      const std::int64_t begin = partition.begin() + first * tile_size;
      const std::int64_t count =
          std::max<std::int64_t>(0, std::min(partition.end(), begin + (end - first) * tile_size) - begin);
      file.write_rows<double>("/final/potentials",
                              {static_cast<std::uint64_t>(trial), static_cast<std::uint64_t>(count > 0 ? begin : 0)},
                              {1, static_cast<std::uint64_t>(count)},
                              std::span<const double>(values).first(static_cast<std::size_t>(count)));
    }
  }
}

}  // namespace

template <class T>
bool stores_network(const config::SimulateOptions& options, const model::Network<T>& network) {
  return options.output.network && network.neurons() <= stored_network_limit;
}

std::uint64_t weight_columns(const model::Network<double>& network) {
  std::uint64_t columns = 0;
  for (const auto* array : {&network.m, &network.n, &network.input_weights, &network.bias, &network.tau})
    columns += static_cast<std::uint64_t>(array->columns());
  return columns;
}

std::uint64_t final_bytes(const config::SimulateOptions& options, const model::Network<double>& network) {
  const auto neurons = static_cast<std::uint64_t>(network.neurons());
  const auto trials = static_cast<std::uint64_t>(options.time.trials);
  std::uint64_t bytes = trials * static_cast<std::uint64_t>(network.rank) * 8;
  if (stores_potentials(options)) bytes += trials * neurons * 8;
  if (stores_network(options, network))
    bytes += neurons * (options.run.precision == config::Precision::single ? 4 : 8) * weight_columns(network);
  return bytes;
}

void describe_final(io::RunLayout& layout, const config::SimulateOptions& options, std::int64_t neurons, int rank,
                    const Engine& engine) {
  const auto trials = static_cast<std::uint64_t>(options.time.trials);
  if (options.output.final_state)
    layout.datasets.push_back({.path = "/final/latent",
                               .shape = {trials, static_cast<std::uint64_t>(rank)},
                               .dimensions = {"trial", "rank"},
                               .units = "1",
                               .long_name = "latent state at the end of the trial"});
  if (stores_potentials(options))
    layout.datasets.push_back({.path = "/final/potentials",
                               .shape = {trials, static_cast<std::uint64_t>(neurons)},
                               .dimensions = {"trial", "neuron"},
                               .units = "1",
                               .long_name = "potential at the end of the trial",
                               .fill = false});
  if (options.stop)
    layout.datasets.push_back({.path = "/integrator/stop_time",
                               .shape = {trials},
                               .dimensions = {"trial"},
                               .units = "s",
                               .long_name = "time at which the trial was ended by [stop]; NaN where it was not"});
  for (const auto& counter : engine.counters())
    layout.datasets.push_back({.path = "/integrator/" + counter.name,
                               .shape = {trials},
                               .dimensions = {"trial"},
                               .type = io::Type::i64,
                               .units = "1",
                               .long_name = counter.meaning});
}

void write_final(io::RunFile& file, const config::SimulateOptions& options, const parallel::Partition& partition,
                 int rank, const Engine& engine, const parallel::Communicator& comm) {
  const auto& state = engine.final_state();
  if (options.output.final_state) {
    std::vector<double> latents(static_cast<std::size_t>(state.trials()) * static_cast<std::size_t>(rank));
    state.latents(latents);
    file.file().write_all<double>("/final/latent", latents);
  }
  if (stores_potentials(options)) write_potentials(file, partition, state, comm);
  if (options.stop) file.file().write_all<double>("/integrator/stop_time", engine.stop_times());
  for (const auto& counter : engine.counters())
    file.file().write_all<std::int64_t>("/integrator/" + counter.name, counter.values);
}

template bool stores_network(const config::SimulateOptions&, const model::Network<double>&);
template bool stores_network(const config::SimulateOptions&, const model::Network<float>&);

}  // namespace rankflow::simulate
