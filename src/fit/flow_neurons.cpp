#include "fit/flow_neurons.hpp"

#include <algorithm>

#include "flow/sampling.hpp"

namespace rankflow::fit {
namespace {

/// Neurons drawn together: bounds the rows that are held beside the arrays.
constexpr std::int64_t neurons_at_once = 64 * parallel::tile_size;

/// (m, b, d) of local neurons [first, first + count), row after row.
std::vector<double> rows_of_neurons(const FlowSystem& system, const connectivity::Loadings& loadings,
                                    std::int64_t first, std::int64_t count) {
  std::vector<double> rows;
  rows.reserve(static_cast<std::size_t>(count * system.variables()));
  for (std::int64_t i = first; i < first + count; ++i) {
    for (int r = 0; r < system.rank; ++r) rows.push_back(loadings.m.at(i, r));
    for (int k = 0; k < system.inputs; ++k) rows.push_back(loadings.b.at(i, k));
    if (system.has_bias) rows.push_back(loadings.bias.at(i, 0));
  }
  return rows;
}

/// Calls `action(first, count)` for runs of this rank's neurons.
template <class Action>
void in_runs(const parallel::Partition& partition, const Action& action) {
  for (std::int64_t first = 0; first < partition.count(); first += neurons_at_once)
    action(first, std::min(neurons_at_once, partition.count() - first));
}

}  // namespace

connectivity::Loadings draw_loadings(const FlowSystem& system, const flow::Flow& flow,
                                     const config::FlowSamplerOptions& sampler, const parallel::Stream& stream,
                                     const parallel::Partition& partition) {
  auto loadings =
      connectivity::make_loadings(partition, system.activation, system.rank, system.inputs, system.has_bias);
  in_runs(partition, [&](std::int64_t first, std::int64_t count) {
    const auto rows = flow::sample(flow, sampler, stream, partition.begin() + first, count);
    const auto* value = rows.data();
    for (std::int64_t i = first; i < first + count; ++i) {
      for (int r = 0; r < system.rank; ++r) loadings.m.at(i, r) = *value++;
      for (int k = 0; k < system.inputs; ++k) loadings.b.at(i, k) = *value++;
      if (system.has_bias) loadings.bias.at(i, 0) = *value++;
    }
  });
  return loadings;
}

model::NeuronArray<double> draw_conditional(const FlowSystem& system, const flow::Flow& flow,
                                            const config::FlowSamplerOptions& sampler, const parallel::Stream& stream,
                                            const connectivity::Loadings& loadings) {
  model::NeuronArray<double> n(loadings.partition, system.rank);
  in_runs(loadings.partition, [&](std::int64_t first, std::int64_t count) {
    const auto rows = flow::sample(flow, sampler, stream, loadings.partition.begin() + first, count,
                                   rows_of_neurons(system, loadings, first, count));
    const auto* value = rows.data();
    for (std::int64_t i = first; i < first + count; ++i)
      for (int r = 0; r < system.rank; ++r) n.at(i, r) = *value++;
  });
  return n;
}

model::Network<double> network_of(const FlowSystem& system, connectivity::Loadings loadings,
                                  model::NeuronArray<double> n) {
  model::Network<double> network;
  network.partition = loadings.partition;
  network.rank = system.rank;
  network.inputs = system.inputs;
  network.activation = system.activation;
  network.m = std::move(loadings.m);
  network.n = std::move(n);
  network.input_weights = std::move(loadings.b);
  network.bias = std::move(loadings.bias);
  network.shared_tau = system.tau;
  network.decay = system.decay;
  return network;
}

}  // namespace rankflow::fit
