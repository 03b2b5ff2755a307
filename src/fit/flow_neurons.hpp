#pragma once
#include "connectivity/loadings.hpp"
#include "fit/flow_system.hpp"
#include "flow/flow.hpp"
#include "model/network.hpp"
#include "parallel/partition.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::fit {

/// Neurons [partition.begin(), partition.end()) of a draw from the loadings' flow: what neuron i gets depends on the
/// stream and on i only.
connectivity::Loadings draw_loadings(const FlowSystem& system, const flow::Flow& flow,
                                     const config::FlowSamplerOptions& sampler, const parallel::Stream& stream,
                                     const parallel::Partition& partition);
/// n of these neurons, drawn from the conditional flow [N, R].
model::NeuronArray<double> draw_conditional(const FlowSystem& system, const flow::Flow& flow,
                                            const config::FlowSamplerOptions& sampler, const parallel::Stream& stream,
                                            const connectivity::Loadings& loadings);
/// The network of these neurons.
model::Network<double> network_of(const FlowSystem& system, connectivity::Loadings loadings,
                                  model::NeuronArray<double> n);

}  // namespace rankflow::fit
