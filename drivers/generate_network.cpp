#include "arguments.hpp"
#include "config/generate_options.hpp"
#include "config/load.hpp"
#include "io/output_file.hpp"
#include "model/build_network.hpp"
#include "model/network_io.hpp"

namespace rankflow::drivers {
namespace {

using Loaded = config::Loaded<config::GenerateNetworkOptions>;

bool is_drawn(config::NetworkSource source) {
  return source != config::NetworkSource::file && source != config::NetworkSource::arrays;
}

template <class T>
model::Network<T> build(const config::GenerateNetworkOptions& options, const parallel::Communicator& comm) {
  return model::build_network<T>(options.network, static_cast<int>(options.generate.inputs),
                                 static_cast<std::uint64_t>(options.run.seed), comm);
}

/// What would be made. A drawn network is drawn with one neuron, which tells its shape; a stored one is read, because
/// only its content tells whether it is usable.
template <class T>
std::string plan(config::GenerateNetworkOptions options, const parallel::Communicator& comm) {
  const std::int64_t asked = options.network.neurons > 0 ? options.network.neurons : model::default_neurons;
  const bool drawn = is_drawn(options.network.source);
  if (drawn) options.network.neurons = 1;
  const auto network = build<T>(options, comm);
  const std::int64_t neurons = drawn ? asked : network.neurons();
  const auto columns = network.m.columns() + network.n.columns() + network.input_weights.columns() +
                       network.bias.columns() + network.tau.columns();
  const double neuron_bytes = static_cast<double>(columns) * sizeof(T) + (network.population_names.size() > 1 ? 1 : 0);
  // The first rank has the largest share.
  const auto share = parallel::Partition(neurons, comm.size(), 0).padded_count();
  return fmt::format("neurons {}, rank {}, input channels {}\nmemory per rank on {} rank{}: {}\noutput file: {}\n",
                     neurons, network.rank, network.inputs, comm.size(), comm.size() == 1 ? "" : "s",
                     bytes_text(static_cast<double>(share) * neuron_bytes),
                     bytes_text(static_cast<double>(neurons) * neuron_bytes));
}

template <class T>
void make(const Arguments& arguments, const Loaded& loaded, const Surroundings& surroundings) {
  const auto network = build<T>(loaded.options, surroundings.comm);
  auto output = io::OutputFile::create(
      surroundings.comm, arguments.output_path(), io::FileType::network,
      {.configuration = loaded.resolved, .seed = static_cast<std::uint64_t>(loaded.options.run.seed)});
  model::write_network(output.file(), network);
  output.finish();
  surroundings.console.info("wrote {}: {} neurons, rank {}, {} input channel(s)", arguments.output_path().string(),
                            network.neurons(), network.rank, network.inputs);
}

template <class T>
ExitCode plan_or_make(const Arguments& arguments, const Loaded& loaded, const Surroundings& surroundings) {
  if (arguments.dry_run) {
    surroundings.console.print(loaded.resolved + "\n" + plan<T>(loaded.options, surroundings.comm));
  } else {
    make<T>(arguments, loaded, surroundings);
  }
  return ExitCode::done;
}

}  // namespace

ExitCode generate_network(const Arguments& arguments, const Surroundings& surroundings) {
  const auto loaded = config::load<config::GenerateNetworkOptions>(arguments.input, arguments.sets);
  return with_context("running the configuration " + arguments.input, [&] {
    return loaded.options.run.precision == config::Precision::single
               ? plan_or_make<float>(arguments, loaded, surroundings)
               : plan_or_make<double>(arguments, loaded, surroundings);
  });
}

}  // namespace rankflow::drivers
