#pragma once
#include <cstdint>

#include "analysis/populations_report.hpp"
#include "config/generate_options.hpp"
#include "model/network.hpp"

namespace rankflow::analysis {

/// The configuration of `generate network` that draws `neurons` from the populations: everything else as in `network`.
/// Throws InputDataError for time constants per neuron.
config::GenerateNetworkOptions resampling_options(const model::Network<double>& network, const Populations& populations,
                                                  std::int64_t neurons, std::uint64_t seed);

}  // namespace rankflow::analysis
