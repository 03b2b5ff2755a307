#pragma once
#include <filesystem>
#include <string>

#include "config/sample_options.hpp"
#include "core/console.hpp"
#include "core/error.hpp"
#include "fit/flow_file.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::fit {

/// A network from a flow file, as a driver orders it.
struct SampleRequest {
  const LoadedConnectivity& flow;
  std::filesystem::path source;  ///< of the flow
  config::SampleOptions options;
  std::string configuration;  ///< resolved TOML text, for provenance
  std::filesystem::path output;
};

/// Options that sample and solve as the fit did.
config::SampleOptions sample_defaults(const LoadedConnectivity& flow);

/// Size of the work, in words.
std::string plan_sample(const SampleRequest& request, const parallel::Communicator& comm);

/// The network of a request, this rank's neurons. Collective. Throws as run_sample().
model::Network<double> sample_network(const SampleRequest& request, const parallel::Communicator& comm);

/// Draws a network and writes it as a network file that `simulate` takes. Neuron i depends on the seed and i only
/// (with sample.conditional_mean its n depends on all). Collective. Throws NumericalError for samples that are not
/// finite, and what solving for n throws.
ExitCode run_sample(const SampleRequest& request, const parallel::Communicator& comm, Console& console);

}  // namespace rankflow::fit
