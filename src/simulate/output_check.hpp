#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "config/simulate_options.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"
#include "simulate/simulation.hpp"

namespace rankflow::simulate {

/// What stands at the output's place before a session.
enum class Earlier { nothing, complete, unfinished };

/// Looks at the output and refuses what would destroy something: a file the configuration reads, a file that is no
/// result of this kind, an unfinished run (unless `overwrite` or `resume`). Collective. Throws ConfigurationError.
Earlier check_output(const Request& request, const parallel::Communicator& comm);

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
