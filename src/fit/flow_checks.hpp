#pragma once
#include <cstdint>
#include <string>

#include "config/fit_flow_options.hpp"
#include "fit/flow_preparation.hpp"
#include "io/hdf5_file.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// What the options alone tell to be in vain. Throws ConfigurationError for an evidence to be maximised without noise
/// in the latents.
void check_flow_options(const config::FitFlowOptions& options);

/// Sizes that would end the work after its first part. Throws InputDataError for fewer neurons than two more than there
/// are variables, ConfigurationError for a dense ridge system beyond what is allowed.
void check_flow_sizes(const FlowPreparation& prepared);

/// A run whose latents can be learned from. Throws InputDataError for one that is unfinished or failed, and for a time
/// constant or decay other than the network's here.
void require_run(const io::File& file, const model::Network<double>& network);

/// Throws ConfigurationError when a rank's share of a network is beyond the memory of the machine.
void require_memory_for(std::int64_t neurons, double bytes_per_rank, const parallel::Communicator& comm);

}  // namespace rankflow::fit
