#pragma once
#include <span>
#include <string>

#include "parallel/communicator.hpp"
#include "parallel/partition.hpp"

namespace rankflow::io {

/// Throws InputDataError, the same on every rank, when a tiled array holds NaN or infinity; names the
/// value, and the neuron and column of the first one. `what` as in "dataset 'm' of file 'a.npz'". Collective.
template <class T>
void require_finite(const parallel::Communicator& comm, const parallel::Partition& partition, std::size_t columns,
                    std::span<const T> tiled, const std::string& what);

}  // namespace rankflow::io
