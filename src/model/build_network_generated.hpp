#pragma once
#include <cstdint>
#include <memory>

#include "config/network_options.hpp"
#include "model/loadings.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::model {

/// The source of loadings for source = preset, populations or heavy_tailed. Throws ConfigurationError when
/// network.rank contradicts the source or is missing, or the source's own options are unusable.
std::unique_ptr<LoadingSource> make_loading_source(const config::NetworkOptions& options, int input_channels,
                                                   std::uint64_t seed);

/// Partition, connectivity, inputs and bias of a network of `neurons` neurons drawn from `source`.
template <class T>
Network<T> generate_network(const LoadingSource& source, std::int64_t neurons, const parallel::Communicator& comm);

}  // namespace rankflow::model
