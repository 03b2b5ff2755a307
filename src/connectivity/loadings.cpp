#include "connectivity/loadings.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

/// All columns of loadings, in the order m, b, d.
template <class L, class Action>
void for_each_column(L& loadings, const Action& action) {
  for (int r = 0; r < loadings.rank; ++r) action(loadings.m, r);
  for (int k = 0; k < loadings.inputs; ++k) action(loadings.b, k);
  if (loadings.bias.columns() > 0) action(loadings.bias, 0);
}

std::size_t variables_of(const Loadings& loadings) {
  return static_cast<std::size_t>(loadings.rank) + static_cast<std::size_t>(loadings.inputs) +
         static_cast<std::size_t>(loadings.bias.columns());
}

model::NeuronArray<double> copy_of(const model::NeuronArray<double>& array, const parallel::Partition& partition) {
  model::NeuronArray<double> copy(partition, array.columns());
  std::ranges::copy(array.values(), copy.values().begin());
  return copy;
}

}  // namespace

Loadings make_loadings(const parallel::Partition& partition, model::Activation activation, int rank, int inputs,
                       bool has_bias) {
  Loadings loadings;
  loadings.partition = partition;
  loadings.rank = rank;
  loadings.inputs = inputs;
  loadings.activation = activation;
  loadings.m = model::NeuronArray<double>(partition, rank);
  loadings.b = model::NeuronArray<double>(partition, inputs);
  loadings.bias = model::NeuronArray<double>(partition, has_bias ? 1 : 0);
  return loadings;
}

Loadings loadings_from_rows(const parallel::Partition& partition, model::Activation activation, int rank, int inputs,
                            bool has_bias, std::span<const double> rows) {
  Loadings loadings = make_loadings(partition, activation, rank, inputs, has_bias);
  const auto variables = variables_of(loadings);
  if (rows.size() != variables * static_cast<std::size_t>(partition.count()))
    throw InternalError("loadings of {} neurons with {} variables come as {} values", partition.count(), variables,
                        rows.size());
  for (std::int64_t i = 0; i < partition.count(); ++i) {
    std::size_t place = static_cast<std::size_t>(i) * variables;
    for_each_column(loadings, [&](auto& array, int column) { array.at(i, column) = rows[place++]; });
  }
  return loadings;
}

Loadings loadings_of(const model::Network<double>& network) {
  Loadings loadings;
  loadings.partition = network.partition;
  loadings.rank = network.rank;
  loadings.inputs = network.inputs;
  loadings.activation = network.activation;
  loadings.m = copy_of(network.m, network.partition);
  loadings.b = copy_of(network.input_weights, network.partition);
  loadings.bias = copy_of(network.bias, network.partition);
  return loadings;
}

Loadings gathered(const Loadings& loadings, std::span<const std::int64_t> neurons, const parallel::Communicator& comm) {
  const auto& mine = loadings.partition;
  const auto variables = variables_of(loadings);
  std::vector<double> rows;
  for (const auto neuron : neurons) {
    if (neuron < mine.begin() || neuron >= mine.end()) continue;
    for_each_column(loadings,
                    [&](const auto& array, int column) { rows.push_back(array.at(neuron - mine.begin(), column)); });
  }
  const auto counts = comm.all_gather(static_cast<std::int64_t>(rows.size()));
  std::vector<double> all(neurons.size() * variables);
  comm.all_gather(std::span<const double>(rows), std::span(all), counts);
  return loadings_from_rows(parallel::Partition(static_cast<std::int64_t>(neurons.size()), 1, 0), loadings.activation,
                            loadings.rank, loadings.inputs, loadings.bias.columns() > 0, all);
}

void check_loadings(const Loadings& loadings, const VisitedStates& states, const parallel::Communicator& comm) {
  if (loadings.rank != states.rank)
    throw InputDataError(
        "loadings m have rank {}, the latents {}: give latents and loadings of the same network or fit", loadings.rank,
        states.rank);
  if (loadings.inputs != states.inputs)
    throw InputDataError("loadings have input weights for {} channels, the visited states {} inputs", loadings.inputs,
                         states.inputs);
  if (loadings.neurons() == 0) throw InputDataError("there is no neuron to solve for: at least 1 is needed");
  constexpr double none = std::numeric_limits<double>::infinity();
  double first = none;
  for (std::int64_t i = 0; i < loadings.partition.count() && first == none; ++i)
    for_each_column(loadings, [&](const auto& array, int column) {
      if (!std::isfinite(array.at(i, column))) first = static_cast<double>(loadings.partition.begin() + i);
    });
  comm.minimum(std::span(&first, 1));
  if (first != none)
    throw InputDataError("loadings of neuron {} are not finite: the fit or flow they come from has diverged", first);
}

}  // namespace rankflow::connectivity
