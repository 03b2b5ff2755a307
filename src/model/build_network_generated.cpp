#include "model/build_network_generated.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "model/heavy_tailed.hpp"
#include "model/populations.hpp"
#include "model/presets.hpp"

namespace rankflow::model {
namespace {

using config::NetworkOptions;
using config::NetworkSource;

void require_rank(const NetworkOptions& options, int rank, std::string_view source) {
  if (options.rank != 0 && options.rank != rank)
    throw ConfigurationError("network.rank = {}, but {} has rank {}; leave network.rank out or choose another network",
                             options.rank, source, rank);
}

std::unique_ptr<LoadingSource> preset_source(const NetworkOptions& options, std::uint64_t seed) {
  const auto preset = preset_network(options.preset);
  require_rank(options, preset.rank, fmt::format("network.preset = \"{}\"", preset.name));
  return std::make_unique<GaussianMixture>(preset.populations, preset.rank, preset.inputs, seed);
}

std::unique_ptr<LoadingSource> population_source(const NetworkOptions& options, int input_channels,
                                                 std::uint64_t seed) {
  if (options.rank == 0)
    throw ConfigurationError(
        "network.rank is missing: source = \"populations\" needs it (at least 1) to tell which entries of mean and "
        "covariance belong to m, n, b and d");
  return std::make_unique<GaussianMixture>(options.populations, static_cast<int>(options.rank), input_channels, seed);
}

std::unique_ptr<LoadingSource> heavy_tailed_source(const NetworkOptions& options, std::uint64_t seed) {
  auto source = std::make_unique<HeavyTailedLoadings>(options.heavy_tailed, seed);
  require_rank(options, source->rank(),
               fmt::format("network.heavy_tailed.overlap, a {0} x {0} matrix,", source->rank()));
  return source;
}

/// Rounds the first `count` values to T; what lies past them stays 0.
template <class T>
void store(TileColumn values, std::int64_t count, T* out) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) out[i] = static_cast<T>(values[i]);
}

template <class T>
void store(LoadingTile& loadings, std::int64_t tile, Network<T>& network) {
  const auto count = network.partition.tile_count(tile);
  for (int r = 0; r < network.rank; ++r) {
    store(loadings.m(r), count, network.m.tile(tile, r));
    store(loadings.n(r), count, network.n.tile(tile, r));
  }
  for (int c = 0; c < network.inputs; ++c) store(loadings.input_weights(c), count, network.input_weights.tile(tile, c));
  if (network.has_bias()) store(loadings.bias(), count, network.bias.tile(tile, 0));
  if (!network.population.empty()) {
    const auto from = loadings.population().begin();
    std::copy(from, from + count, network.population.begin() + tile * parallel::tile_size);
  }
}

}  // namespace

std::unique_ptr<LoadingSource> make_loading_source(const NetworkOptions& options, int input_channels,
                                                   std::uint64_t seed) {
  switch (options.source) {
    case NetworkSource::preset:
      return preset_source(options, seed);
    case NetworkSource::populations:
      return population_source(options, input_channels, seed);
    case NetworkSource::heavy_tailed:
      return heavy_tailed_source(options, seed);
    case NetworkSource::file:
    case NetworkSource::arrays:
      break;
  }
  throw InternalError("network source {} is not generated", static_cast<int>(options.source));
}

template <class T>
Network<T> generate_network(const LoadingSource& source, std::int64_t neurons, const parallel::Communicator& comm) {
  Network<T> network;
  network.partition = parallel::Partition(neurons, comm.size(), comm.rank());
  network.rank = source.rank();
  network.inputs = source.inputs();
  network.m = NeuronArray<T>(network.partition, network.rank);
  network.n = NeuronArray<T>(network.partition, network.rank);
  network.input_weights = NeuronArray<T>(network.partition, network.inputs);
  network.bias = NeuronArray<T>(network.partition, source.has_bias() ? 1 : 0);
  network.population_names = source.population_names();
  if (network.population_names.size() > 1)
    network.population.resize(static_cast<std::size_t>(network.partition.padded_count()));
  LoadingTile loadings(network.rank, network.inputs);
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
    source.fill(network.partition.tile_begin(tile), loadings);
    store(loadings, tile, network);
  }
  return network;
}

template Network<float> generate_network(const LoadingSource&, std::int64_t, const parallel::Communicator&);
template Network<double> generate_network(const LoadingSource&, std::int64_t, const parallel::Communicator&);

}  // namespace rankflow::model
