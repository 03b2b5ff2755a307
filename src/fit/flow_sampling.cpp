#include "fit/flow_sampling.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "connectivity/ridge.hpp"
#include "fit/flow_checks.hpp"
#include "fit/flow_neurons.hpp"
#include "io/agreement.hpp"
#include "io/earlier_output.hpp"
#include "io/output_file.hpp"
#include "model/network_io.hpp"

namespace rankflow::fit {
namespace {

/// Streams of the two draws; those from 2 on belong to fits.
enum class SampleStream : std::uint64_t { loadings = 0, conditional = 1 };

parallel::Stream sample_stream(const config::SampleOptions& options, SampleStream which) {
  return {static_cast<std::uint64_t>(options.sample.seed), parallel::Purpose::flow_sample,
          static_cast<std::uint64_t>(which)};
}

model::NeuronArray<double> solved_n(const SampleRequest& request, const connectivity::Loadings& loadings,
                                    const parallel::Communicator& comm) {
  return with_context("solving for n", [&] {
    return connectivity::solve_ridge(request.flow.states, loadings, connectivity::ridge_options(request.options.ridge),
                                     comm)
        .n;
  });
}

template <class T>
model::NeuronArray<T> rounded(const parallel::Partition& partition, const model::NeuronArray<double>& from) {
  model::NeuronArray<T> to(partition, from.columns());
  std::transform(from.values().begin(), from.values().end(), to.values().begin(),
                 [](double value) { return static_cast<T>(value); });
  return to;
}

model::Network<float> in_single(const model::Network<double>& network) {
  model::Network<float> single;
  single.partition = network.partition;
  single.rank = network.rank;
  single.inputs = network.inputs;
  single.activation = network.activation;
  single.m = rounded<float>(network.partition, network.m);
  single.n = rounded<float>(network.partition, network.n);
  single.input_weights = rounded<float>(network.partition, network.input_weights);
  single.bias = rounded<float>(network.partition, network.bias);
  single.shared_tau = network.shared_tau;
  single.decay = network.decay;
  return single;
}

double sample_bytes(const SampleRequest& request) {
  const auto& system = request.flow.system;
  const double number = request.options.sample.precision == config::Precision::single ? 4 : 8;
  return number * static_cast<double>(request.options.sample.neurons) *
         static_cast<double>(system.variables() + system.rank);
}

double memory_of_sample(const SampleRequest& request, const parallel::Communicator& comm) {
  const auto share = parallel::Partition(request.options.sample.neurons, comm.size(), 0).padded_count();
  return 8.0 * static_cast<double>(share) *
         static_cast<double>(request.flow.system.variables() + request.flow.system.rank);
}

}  // namespace

model::Network<double> sample_network(const SampleRequest& request, const parallel::Communicator& comm) {
  const auto& options = request.options;
  const auto& system = request.flow.system;
  require_memory_for(options.sample.neurons, memory_of_sample(request, comm), comm);
  const parallel::Partition partition(options.sample.neurons, comm.size(), comm.rank());
  return with_context("sampling the flow " + request.source.string(), [&] {
    // A sample that is not finite is found by the rank that draws it.
    std::optional<connectivity::Loadings> loadings;
    io::on_all_ranks(comm, [&] {
      loadings = draw_loadings(system, request.flow.loadings_flow, options.sampler,
                               sample_stream(options, SampleStream::loadings), partition);
    });
    model::NeuronArray<double> n;
    if (options.sample.conditional_mean)
      n = solved_n(request, *loadings, comm);
    else
      io::on_all_ranks(comm, [&] {
        n = draw_conditional(system, request.flow.conditional_flow, options.sampler,
                             sample_stream(options, SampleStream::conditional), *loadings);
      });
    return network_of(system, std::move(*loadings), std::move(n));
  });
}

config::SampleOptions sample_defaults(const LoadedConnectivity& flow) {
  config::SampleOptions options;
  options.sampler = flow.options.sampler;
  options.ridge = flow.options.ridge;
  return options;
}

std::string plan_sample(const SampleRequest& request, const parallel::Communicator& comm) {
  const auto& system = request.flow.system;
  const double memory = memory_of_sample(request, comm);
  require_memory_for(request.options.sample.neurons, memory, comm);
  return fmt::format("neurons {}, rank {}, input channels {}{}\nmemory per rank on {} rank{}: {}\noutput file: {}\n",
                     request.options.sample.neurons, system.rank, system.inputs, system.has_bias ? ", biases" : "",
                     comm.size(), comm.size() == 1 ? "" : "s", bytes_text(memory), bytes_text(sample_bytes(request)));
}

ExitCode run_sample(const SampleRequest& request, const parallel::Communicator& comm, Console& console) {
  io::check_output({.path = request.output, .type = io::FileType::network, .inputs = {request.source}}, comm);
  const auto start = std::chrono::steady_clock::now();
  const auto network = sample_network(request, comm);
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto output = io::OutputFile::create(comm, request.output, io::FileType::network,
                                       {.configuration = request.configuration,
                                        .seed = static_cast<std::uint64_t>(request.options.sample.seed),
                                        .more = {{"flow", request.source.string()}}},
                                       static_cast<std::uint64_t>(sample_bytes(request)));
  if (request.options.sample.precision == config::Precision::single)
    model::write_network(output.file(), in_single(network));
  else
    model::write_network(output.file(), network);
  output.finish();
  console.info("wrote {}: {} neurons, rank {}, {} input channel(s), drawn in {}", request.output.string(),
               network.neurons(), network.rank, network.inputs, duration_text(seconds));
  return ExitCode::done;
}

}  // namespace rankflow::fit
