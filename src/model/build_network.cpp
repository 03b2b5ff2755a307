#include "model/build_network.hpp"

#include <array>
#include <cmath>

#include "core/error.hpp"
#include "model/build_network_arrays.hpp"
#include "model/build_network_generated.hpp"
#include "model/network_io.hpp"
#include "parallel/draws.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::model {
namespace {

using config::NetworkOptions;

/// tau_i = minimum (maximum / minimum)^u with u uniform in (0, 1).
template <class T>
void draw_time_constants(const NetworkOptions& options, std::uint64_t seed, Network<T>& network) {
  network.tau = NeuronArray<T>(network.partition, 1);
  const parallel::Stream stream(seed, parallel::Purpose::time_constants);
  const double low = std::log(options.tau_minimum);
  const double width = std::log(options.tau_maximum / options.tau_minimum);
  std::array<double, static_cast<std::size_t>(parallel::tile_size)> chance;
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
    parallel::uniform<double>(stream, {}, static_cast<std::uint64_t>(network.partition.tile_begin(tile)), chance);
    const auto count = static_cast<std::size_t>(network.partition.tile_count(tile));
    T* tau = network.tau.tile(tile, 0);
    for (std::size_t i = 0; i < count; ++i) tau[i] = static_cast<T>(std::exp(low + chance[i] * width));
  }
}

/// What the options say goes before what the source brought along.
template <class T>
void apply_options(const NetworkOptions& options, std::uint64_t seed, Network<T>& network) {
  if (options.activation) network.activation = *options.activation;
  if (options.leak) network.leak = *options.leak;
  if (options.decay) network.decay = options.decay;
  if (options.time_constants == config::TimeConstants::log_uniform) {
    draw_time_constants(options, seed, network);
  } else if (options.tau) {
    network.shared_tau = *options.tau;
    network.tau = NeuronArray<T>();
  }
}

void require_inputs(int network_inputs, int input_channels) {
  if (input_channels > network_inputs)
    throw ConfigurationError(
        "the inputs drive {} channel(s), but the network has input weights for {}; remove inputs, or choose a network "
        "with more input channels",
        input_channels, network_inputs);
}

template <class T>
Network<T> generated(const NetworkOptions& options, int input_channels, std::uint64_t seed,
                     const parallel::Communicator& comm) {
  const auto source = make_loading_source(options, input_channels, seed);
  require_inputs(source->inputs(), input_channels);
  return generate_network<T>(*source, options.neurons == 0 ? default_neurons : options.neurons, comm);
}

template <class T>
Network<T> stored(const NetworkOptions& options, const parallel::Communicator& comm) {
  const auto file = io::NetworkFile::open(comm, options.file);
  require_stored_size(options, file.neurons(), file.rank(), fmt::format("network.file '{}'", options.file));
  return read_network<T>(file);
}

template <class T>
Network<T> from_source(const NetworkOptions& options, int input_channels, std::uint64_t seed,
                       const parallel::Communicator& comm) {
  switch (options.source) {
    case config::NetworkSource::file:
      return stored<T>(options, comm);
    case config::NetworkSource::arrays:
      return network_from_arrays<T>(options, comm);
    default:
      return generated<T>(options, input_channels, seed, comm);
  }
}

}  // namespace

template <class T>
Network<T> build_network(const NetworkOptions& options, int input_channels, std::uint64_t seed,
                         const parallel::Communicator& comm) {
  auto network = from_source<T>(options, input_channels, seed, comm);
  if (network.rank > largest_rank)
    throw InputDataError("the network has rank {}; at most {} is supported: are its arrays transposed?", network.rank,
                         largest_rank);
  require_inputs(network.inputs, input_channels);
  apply_options(options, seed, network);
  return network;
}

template Network<float> build_network(const NetworkOptions&, int, std::uint64_t, const parallel::Communicator&);
template Network<double> build_network(const NetworkOptions&, int, std::uint64_t, const parallel::Communicator&);

}  // namespace rankflow::model
