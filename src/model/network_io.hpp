#pragma once
#include <string>

#include "io/hdf5_file.hpp"
#include "io/network_file.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::model {

/// As in the attribute `activation` of files.
std::string activation_name(Activation activation);
/// The reverse. Throws InputDataError with the nearest known name; `place` stands in its message, as in "group
/// '/network' of file 'a.h5'".
Activation activation_of_name(const std::string& name, const std::string& place);

/// Writes the network into `group` of a file, in the schema of network files (docs/file-formats.md): m, n,
/// input_weights, bias, tau as io::write_network, the attributes activation, leak, tau (s, when shared), decay (when
/// prescribed), and for several populations the dataset population [neuron] (numbers into the attribute
/// population_names, one name a line). Collective.
template <class T>
void write_network(io::File& file, const Network<T>& network, const std::string& group = "/network");

/// Reads this rank's share of a network; the file's precision is converted to T. What a file of other making leaves
/// out: activation tanh, tau 0.1 s, leak 1. Collective.
/// Throws InputDataError naming file and dataset or attribute: not finite, an unknown activation, a time constant
/// that is not positive, a negative leak, a decay outside [0, 1], a population without a name.
template <class T>
Network<T> read_network(const io::NetworkFile& file, const std::string& group = "/network");

/// Throws InputDataError, the same on every rank, naming the first neuron whose time constant is not positive.
/// `what`: where tau was read from. Collective.
template <class T>
void require_positive_tau(const parallel::Communicator& comm, const Network<T>& network, const std::string& what);

}  // namespace rankflow::model
