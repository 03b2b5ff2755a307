#pragma once
#include <filesystem>

#include "io/hdf5_file.hpp"
#include "model/network.hpp"

namespace rankflow::drivers {

/// A file, and the network in it.
struct NetworkInput {
  io::File file;
  model::Network<double> network;
};

/// Reads the network of a network, run or fit file, its neurons shared out to the ranks. Collective. Throws
/// InputDataError for a file of another type, a fit without a model, and weights that are not finite or so large that
/// their products would not be.
NetworkInput read_network_input(const std::filesystem::path& path, const parallel::Communicator& comm);

}  // namespace rankflow::drivers
