#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "config/simulate_options.hpp"
#include "io/earlier_output.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"
#include "simulate/simulation.hpp"

namespace rankflow::simulate {

/// io::check_output for a simulation, with the files that its configuration reads.
io::Earlier check_output(const Request& request, const parallel::Communicator& comm);

/// Throws ConfigurationError when a complete result was made with another configuration. Collective.
void require_same_configuration(const Request& request, const parallel::Communicator& comm);

/// Files that the configuration reads.
std::vector<std::filesystem::path> input_files(const config::SimulateOptions& options);

/// Identifies what a checkpoint belongs to: the configuration but for what may change between sessions, the content of
/// the files it reads (up to 64 MiB each), and the network as it was read. The same on any number of ranks. Collective.
template <class T>
std::string run_identity(const config::SimulateOptions& options, const model::Network<T>& network,
                         const parallel::Communicator& comm);

}  // namespace rankflow::simulate
