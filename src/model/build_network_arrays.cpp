#include "model/build_network_arrays.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "io/array_import.hpp"
#include "model/network_io.hpp"
#include "model/small_array.hpp"

namespace rankflow::model {
namespace {

using config::ArraySource;
using config::NetworkOptions;
using parallel::Communicator;

/// An array as the configuration names it, with its shape brought into the order [neuron, column].
struct Source {
  const ArraySource& options;
  std::string key;
  std::vector<std::int64_t> found;  ///< as in the file
  std::int64_t neurons = 0;
  std::int64_t columns = 1;

  std::string describe() const { return describe_source(options, key); }
  /// As in "network.arrays.m (file a.h5, array /m) has shape [3, 512]".
  std::string describe_shape() const {
    return fmt::format("{} has shape {}{}", describe(), shape_text(found),
                       options.transpose ? " (to be transposed)" : "");
  }
};

io::ArraySource file_of(const ArraySource& options) {
  return {.path = options.path, .member = options.member};
}

std::vector<std::int64_t> shape_of(const ArraySource& options, const Communicator& comm) {
  if (options.path.empty()) return options.shape;
  const auto shape = io::array_shape(comm, file_of(options));
  return {shape.begin(), shape.end()};
}

Source look_at(const ArraySource& options, std::string_view name, std::size_t axes, const Communicator& comm) {
  Source source{options, fmt::format("network.arrays.{}", name), shape_of(options, comm)};
  auto shape = source.found;
  if (shape.empty() || shape.size() > axes)
    throw ConfigurationError("{}; expected {}", source.describe_shape(),
                             axes == 2 ? "[neuron, column] or [neuron]" : "[neuron]");
  if (std::count(shape.begin(), shape.end(), 0) > 0)
    throw InputDataError("{}: an array without values; expected at least one neuron and one column",
                         source.describe_shape());
  if (options.transpose) std::reverse(shape.begin(), shape.end());
  source.neurons = shape[0];
  if (shape.size() == 2) source.columns = shape[1];
  return source;
}

void require_neurons(const Source& source, const Source& reference) {
  if (source.neurons == reference.neurons) return;
  const bool turned =
      source.found.size() == 2 && (source.options.transpose ? source.found[0] : source.found[1]) == reference.neurons;
  throw ConfigurationError("{}: {} neurons, but {}: {} neurons; they must agree{}", source.describe_shape(),
                           source.neurons, reference.describe_shape(), reference.neurons,
                           turned ? fmt::format(": set {}.transpose = {}", source.key, !source.options.transpose) : "");
}

void require_columns(const Source& source, const Source& reference) {
  if (source.columns == reference.columns) return;
  throw ConfigurationError("{}: rank {}, but {}: rank {}; they must agree", source.describe_shape(), source.columns,
                           reference.describe_shape(), reference.columns);
}

/// Inline values are few: each rank holds them all and keeps its share.
template <class T>
void copy_inline(const Source& source, const parallel::Partition& partition, NeuronArray<T>& array) {
  const auto values = read_small_array(source.options, source.key);
  for (std::int64_t i = 0; i < partition.count(); ++i)
    for (int c = 0; c < array.columns(); ++c)
      array.at(i, c) =
          static_cast<T>(values.values[static_cast<std::size_t>((partition.begin() + i) * array.columns() + c)]);
}

template <class T>
NeuronArray<T> read(const Source& source, const parallel::Partition& partition, const Communicator& comm) {
  NeuronArray<T> array(partition, static_cast<int>(source.columns));
  if (source.options.path.empty()) {
    copy_inline(source, partition, array);
  } else {
    with_context("reading " + source.key, [&] {
      io::read_neuron_array<T>(comm, file_of(source.options), partition, static_cast<std::size_t>(source.columns),
                               array.values(), {.transpose = source.options.transpose, .scale = source.options.scale});
    });
  }
  return array;
}

void require_one_tau(const NetworkOptions& options) {
  if (!options.arrays.tau.given) return;
  if (options.tau)
    throw ConfigurationError("network.tau = {} and network.arrays.tau are both given; leave one of them out",
                             *options.tau);
  if (options.time_constants == config::TimeConstants::log_uniform)
    throw ConfigurationError(
        "network.time_constants = \"log_uniform\" and network.arrays.tau are both given; leave one of them out");
}

}  // namespace

void require_stored_size(const NetworkOptions& options, std::int64_t neurons, std::int64_t rank,
                         const std::string& source) {
  if (options.neurons != 0 && options.neurons != neurons)
    throw ConfigurationError(
        "network.neurons = {}, but {} holds {} neurons; leave network.neurons out: a part of a network has other "
        "dynamics than the whole",
        options.neurons, source, neurons);
  if (options.rank != 0 && options.rank != rank)
    throw ConfigurationError("network.rank = {}, but {} has rank {}; leave network.rank out", options.rank, source,
                             rank);
}

template <class T>
Network<T> network_from_arrays(const NetworkOptions& options, const Communicator& comm) {
  require_one_tau(options);
  const auto& arrays = options.arrays;
  const auto m = look_at(arrays.m, "m", 2, comm);
  require_stored_size(options, m.neurons, m.columns, m.describe());
  Network<T> network;
  network.partition = parallel::Partition(m.neurons, comm.size(), comm.rank());
  network.rank = static_cast<int>(m.columns);
  const auto n = look_at(arrays.n, "n", 2, comm);
  require_neurons(n, m);
  require_columns(n, m);
  const auto read_optional = [&](const ArraySource& array, std::string_view name, std::size_t axes) {
    if (!array.given) return NeuronArray<T>();
    const auto source = look_at(array, name, axes, comm);
    require_neurons(source, m);
    return read<T>(source, network.partition, comm);
  };
  network.m = read<T>(m, network.partition, comm);
  network.n = read<T>(n, network.partition, comm);
  network.input_weights = read_optional(arrays.input_weights, "input_weights", 2);
  network.inputs = network.input_weights.columns();
  network.bias = read_optional(arrays.bias, "bias", 1);
  network.tau = read_optional(arrays.tau, "tau", 1);
  if (network.has_own_tau()) require_positive_tau(comm, network, describe_source(arrays.tau, "network.arrays.tau"));
  return network;
}

template Network<float> network_from_arrays(const NetworkOptions&, const Communicator&);
template Network<double> network_from_arrays(const NetworkOptions&, const Communicator&);

}  // namespace rankflow::model
