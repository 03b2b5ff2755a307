#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config/simulate_options.hpp"
#include "model/network.hpp"

namespace rankflow::simulate {

/// Where every trial starts. Potentials start in the span of m, plus an optional random part per neuron.
struct InitialState {
  std::vector<double> latent;  ///< [trial, R]
  double potential_std = 0.0;
  std::uint64_t seed = 0;
};

/// Reads and draws the initial latents. Throws InputDataError when the array fits neither [R] nor [trial, R].
InitialState make_initial_state(const config::InitialOptions& options, std::int64_t trials, int rank,
                                std::uint64_t seed);

/// Potentials of one local tile at t = 0: m z + potential_std normal. `x` holds tile_size values.
template <class T>
void initial_tile(const InitialState& initial, const model::Network<T>& network, std::int64_t trial, std::int64_t tile,
                  T* x);

}  // namespace rankflow::simulate
