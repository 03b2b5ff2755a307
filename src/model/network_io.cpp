#include "model/network_io.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/suggestion.hpp"
#include "io/agreement.hpp"

namespace rankflow::model {
namespace {

constexpr std::array<std::pair<const char*, Activation>, 7> activations{{{"tanh", Activation::tanh},
                                                                         {"relu", Activation::relu},
                                                                         {"clipped_relu", Activation::clipped_relu},
                                                                         {"softplus", Activation::softplus},
                                                                         {"sigmoid", Activation::sigmoid},
                                                                         {"erf", Activation::erf},
                                                                         {"identity", Activation::identity}}};

/// One attribute of the network's group, with its place for messages.
class AttributeReader {
 public:
  AttributeReader(const io::NetworkFile& file, const std::string& group)
      : attributes_(file.attributes()), place_(fmt::format("group '{}' of file '{}'", group, file.file().name())) {}

  std::optional<double> number(const std::string& name, double minimum, double maximum, bool minimum_allowed) const {
    const auto found = attributes_.find(name);
    if (found == attributes_.end()) return std::nullopt;
    const auto value = to_number(found->second);
    if (!value) throw InputDataError("attribute '{}' of {} is not a number", name, place_);
    if (*value >= minimum && *value <= maximum && (minimum_allowed || *value > minimum)) return value;
    throw InputDataError("attribute '{}' of {} is {}; allowed: {} {}, at most {}", name, place_, *value,
                         minimum_allowed ? "at least" : "above", minimum, maximum);
  }

  Activation activation() const {
    const auto found = attributes_.find("activation");
    if (found == attributes_.end()) return Activation::tanh;
    const auto* name = std::get_if<std::string>(&found->second);
    if (name == nullptr) throw InputDataError("attribute 'activation' of {} is not text", place_);
    return activation_of_name(*name, place_);
  }

  std::vector<std::string> population_names() const {
    const auto found = attributes_.find("population_names");
    if (found == attributes_.end() || !std::holds_alternative<std::string>(found->second)) return {};
    std::vector<std::string> names;
    std::istringstream lines(std::get<std::string>(found->second));
    for (std::string name; std::getline(lines, name);) names.push_back(name);
    return names;
  }

 private:
  static std::optional<double> to_number(const io::Attribute& attribute) {
    if (const auto* real = std::get_if<double>(&attribute)) return *real;
    if (const auto* integer = std::get_if<std::int64_t>(&attribute)) return static_cast<double>(*integer);
    if (const auto* count = std::get_if<std::uint64_t>(&attribute)) return static_cast<double>(*count);
    const auto* list = std::get_if<std::vector<double>>(&attribute);
    if (list != nullptr && list->size() == 1) return list->front();
    return std::nullopt;
  }

  io::Attributes attributes_;
  std::string place_;
};

template <class T>
io::Attributes attributes_of(const Network<T>& network) {
  io::Attributes attributes{{"activation", activation_name(network.activation)}, {"leak", network.leak}};
  if (!network.has_own_tau()) attributes["tau"] = network.shared_tau;
  if (network.decay) attributes["decay"] = *network.decay;
  if (!network.population_names.empty())
    attributes["population_names"] = fmt::format("{}", fmt::join(network.population_names, "\n"));
  return attributes;
}

/// Offset and extent of this rank's neurons in a dataset [neuron].
std::pair<io::Shape, io::Shape> share(const parallel::Partition& partition) {
  return {{static_cast<std::uint64_t>(partition.begin())}, {static_cast<std::uint64_t>(partition.count())}};
}

template <class T>
void write_population(io::File& file, const Network<T>& network, const std::string& path) {
  file.create_dataset({.path = path,
                       .shape = {static_cast<std::uint64_t>(network.neurons())},
                       .dimensions = {"neuron"},
                       .type = io::Type::u8,
                       .long_name = "number of the population",
                       .fill = false});
  const auto [offset, extent] = share(network.partition);
  file.write_rows(path, offset, extent, std::span(network.population).first(extent[0]));
}

template <class T>
void read_population(const io::NetworkFile& file, const std::string& path, Network<T>& network) {
  const auto info = file.file().info(path);
  const io::Shape expected{static_cast<std::uint64_t>(network.neurons())};
  if (info.shape != expected)
    throw InputDataError("dataset '{}' in file '{}' has shape {}, expected {}: one number per neuron", path,
                         file.file().name(), io::text_of(info.shape), io::text_of(expected));
  network.population.resize(static_cast<std::size_t>(network.partition.padded_count()));
  const auto [offset, extent] = share(network.partition);
  const auto mine = std::span(network.population).first(extent[0]);
  file.file().read_rows(path, offset, extent, mine);
  io::on_all_ranks(file.file().comm(), [&] {
    const auto names = network.population_names.size();
    const auto bad = std::find_if(mine.begin(), mine.end(), [&](std::uint8_t p) { return p >= names; });
    if (bad != mine.end())
      throw InputDataError(
          "dataset '{}' in file '{}': neuron {} is of population {}, but the attribute "
          "'population_names' has {} name(s), counted from 0",
          path, file.file().name(), network.partition.begin() + (bad - mine.begin()), *bad, names);
  });
}

}  // namespace

std::string activation_name(Activation activation) {
  const auto found =
      std::find_if(activations.begin(), activations.end(), [&](const auto& a) { return a.second == activation; });
  return found->first;
}

Activation activation_of_name(const std::string& name, const std::string& place) {
  std::vector<std::string> names;
  for (const auto& [known, value] : activations) {
    if (name == known) return value;
    names.emplace_back(known);
  }
  throw InputDataError("attribute 'activation' of {} is '{}'; known are {}.{}", place, name, fmt::join(names, ", "),
                       did_you_mean(name, names));
}

template <class T>
void write_network(io::File& file, const Network<T>& network, const std::string& group) {
  io::write_network<T>(file,
                       {.partition = network.partition,
                        .rank = network.rank,
                        .inputs = network.inputs,
                        .m = network.m.values(),
                        .n = network.n.values(),
                        .input_weights = network.input_weights.values(),
                        .bias = network.bias.values(),
                        .tau = network.tau.values()},
                       attributes_of(network), group);
  if (network.population_names.size() > 1) write_population(file, network, group + "/population");
}

template <class T>
Network<T> read_network(const io::NetworkFile& file, const std::string& group) {
  const auto& comm = file.file().comm();
  const AttributeReader attributes(file, group);
  constexpr double unbounded = std::numeric_limits<double>::max();
  Network<T> network;
  network.activation = attributes.activation();
  network.shared_tau = attributes.number("tau", 0.0, unbounded, false).value_or(network.shared_tau);
  network.leak = attributes.number("leak", 0.0, unbounded, true).value_or(network.leak);
  network.decay = attributes.number("decay", 0.0, 1.0, true);
  network.population_names = attributes.population_names();
  network.partition = parallel::Partition(file.neurons(), comm.size(), comm.rank());
  network.rank = static_cast<int>(file.rank());
  network.inputs = static_cast<int>(file.inputs());
  const auto read = [&](const char* name, NeuronArray<T>& array, int columns) {
    array = NeuronArray<T>(network.partition, columns);
    file.read<T>(name, network.partition, static_cast<std::size_t>(columns), array.values());
  };
  read("m", network.m, network.rank);
  read("n", network.n, network.rank);
  if (network.inputs > 0) read("input_weights", network.input_weights, network.inputs);
  if (file.has("bias")) read("bias", network.bias, 1);
  if (file.has("tau")) {
    read("tau", network.tau, 1);
    require_positive_tau(comm, network, fmt::format("dataset '{}/tau' in file '{}'", group, file.file().name()));
  }
  if (file.has("population")) read_population(file, group + "/population", network);
  return network;
}

template <class T>
void require_positive_tau(const parallel::Communicator& comm, const Network<T>& network, const std::string& what) {
  io::on_all_ranks(comm, [&] {
    for (std::int64_t i = 0; i < network.partition.count(); ++i)
      if (!(network.tau.at(i, 0) > T{0}))
        throw InputDataError("{}: the time constant of neuron {} is {} s; it must be above 0", what,
                             network.partition.begin() + i, network.tau.at(i, 0));
  });
}

#define RANKFLOW_INSTANTIATE(T)                                                     \
  template void write_network<T>(io::File&, const Network<T>&, const std::string&); \
  template Network<T> read_network<T>(const io::NetworkFile&, const std::string&);  \
  template void require_positive_tau<T>(const parallel::Communicator&, const Network<T>&, const std::string&);
RANKFLOW_INSTANTIATE(float)
RANKFLOW_INSTANTIATE(double)
#undef RANKFLOW_INSTANTIATE

}  // namespace rankflow::model
