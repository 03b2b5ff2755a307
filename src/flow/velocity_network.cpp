#include "flow/velocity_network.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "parallel/draws.hpp"

namespace rankflow::flow {

VelocityNetwork::VelocityNetwork(const config::VelocityOptions& options, std::int64_t variables,
                                 std::int64_t conditions)
    : options_(options), variables_(variables), conditions_(conditions) {
  if (variables < 1 || conditions < 0 || options.hidden_layers < 1 || options.hidden_width < 1 ||
      options.time_frequencies < 0)
    throw InternalError("a velocity network of {} variables, {} conditions and {} layers of {} units", variables,
                        conditions, options.hidden_layers, options.hidden_width);
  for (std::int64_t layer = 0; layer < layers(); ++layer) {
    layout_.add(fmt::format("weights_{}", layer), {layer_outputs(layer), layer_inputs(layer)});
    layout_.add(fmt::format("biases_{}", layer), {layer_outputs(layer)});
  }
}

std::vector<double> VelocityNetwork::initial_parameters(std::uint64_t seed) const {
  std::vector<double> parameters(static_cast<std::size_t>(layout_.total()));
  parallel::uniform<double>(parallel::Stream(seed, parallel::Purpose::flow_start), {}, 0, parameters);
  for (std::int64_t layer = 0; layer < layers(); ++layer) {
    const double reach = 1 / std::sqrt(static_cast<double>(layer_inputs(layer)));
    for (const auto id : {weights(layer), biases(layer)})
      for (auto& value : layout_.part(std::span(parameters), id)) value = reach * (2 * value - 1);
  }
  return parameters;
}

}  // namespace rankflow::flow
