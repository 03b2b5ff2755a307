#pragma once
#include <cstdint>
#include <string>

#include "config/network_options.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::model {

/// Checks that network.neurons and network.rank, where given, are those of the source, named as in "file 'a.h5'".
/// Throws ConfigurationError naming both.
void require_stored_size(const config::NetworkOptions& options, std::int64_t neurons, std::int64_t rank,
                         const std::string& source);

/// The network of source = "arrays": shapes from network.arrays.m [neuron, rank] ([neuron]: rank 1). Collective.
/// Throws ConfigurationError when arrays disagree with each other or with network.neurons and network.rank, or tau is
/// given twice; InputDataError when an array is missing, not finite or a time constant is not positive.
template <class T>
Network<T> network_from_arrays(const config::NetworkOptions& options, const parallel::Communicator& comm);

}  // namespace rankflow::model
