#pragma once
#include <cstdint>

#include "config/network_options.hpp"
#include "model/build_network.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

inline model::Network<double> preset_network_of(config::Preset preset, std::int64_t neurons, std::uint64_t seed = 1,
                                                const parallel::Communicator& comm = {}) {
  config::NetworkOptions options;
  options.preset = preset;
  options.neurons = neurons;
  return model::build_network<double>(options, preset == config::Preset::decision ? 1 : 0, seed, comm);
}

}  // namespace rankflow::analysis
