#include <optional>

#include "model/build_network.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/assembly.hpp"
#include "simulate/initial_state.hpp"
#include "simulate/latent_noise.hpp"
#include "simulate/output_check.hpp"
#include "simulate/recording_layout.hpp"
#include "simulate/run_layout.hpp"
#include "simulate/schedule.hpp"
#include "simulate/simulation.hpp"
#include "simulate/validation.hpp"

namespace rankflow::simulate {
namespace {

using parallel::Partition;

bool is_generated(const config::NetworkOptions& network) {
  return network.source != config::NetworkSource::file && network.source != config::NetworkSource::arrays;
}

/// A network without weights that tells shape and names. Generated sources are drawn with one neuron; files are read,
/// because only their content tells whether they are usable.
model::Network<double> hollow_network(const config::SimulateOptions& options, const parallel::Communicator& comm) {
  config::SimulateOptions small = options;
  if (is_generated(options.network)) small.network.neurons = 1;
  auto network = make_network<double>(small, comm);
  const std::int64_t asked = options.network.neurons > 0 ? options.network.neurons : model::default_neurons;
  const std::int64_t neurons = is_generated(options.network) ? asked : network.neurons();
  network.partition = Partition(neurons, comm.size(), comm.rank());
  return network;
}

/// N-vectors that the integrator holds beside the potentials of every trial.
std::uint64_t integrator_vectors(const config::IntegrationOptions& integration, bool bulk) {
  constexpr std::uint64_t work = 8;    // CVODE: weights, corrections, temporaries
  constexpr std::uint64_t krylov = 8;  // SPGMR: 5 basis vectors and its own temporaries
  switch (integration.method) {
    case config::Method::adams:
      return 13 + work + 8;  // history to order 12, fixed-point solver
    case config::Method::bdf:
      return 6 + work + 5 + (bulk ? krylov : 0);  // history to order 5, Newton's vectors
    case config::Method::runge_kutta:
      return static_cast<std::uint64_t>(integration.order) + 9;
    default:
      return 0;
  }
}

std::vector<std::pair<std::string, std::uint64_t>> memory_table(const config::SimulateOptions& options,
                                                                const model::Network<double>& network,
                                                                std::uint64_t row_buffers,
                                                                const parallel::Communicator& comm) {
  // The first rank has the largest share.
  const auto share = static_cast<std::uint64_t>(Partition(network.neurons(), comm.size(), 0).padded_count());
  const auto all = static_cast<std::uint64_t>(network.neurons());
  const std::uint64_t number = options.run.precision == config::Precision::single ? 4 : 8;
  const std::uint64_t columns = weight_columns(network);
  const auto trials = static_cast<std::uint64_t>(options.time.trials);
  std::vector<std::pair<std::string, std::uint64_t>> table;
  const std::uint64_t names = network.population_names.size() > 1 ? share : 0;
  table.emplace_back("weights (m, n, b, d, tau)", share * columns * number + names);
  if (options.integration.space == config::Space::neuron) {
    table.emplace_back("potentials", share * trials * number);
    if (network.has_own_tau()) table.emplace_back("step coefficients", share * number);
    const bool bulk = options.network.bulk.kind != config::BulkKind::none;
    if (const auto vectors = integrator_vectors(options.integration, bulk); vectors > 0)
      table.emplace_back("integrator vectors", share * vectors * 8);
    if (bulk) {
      table.emplace_back("rates for the bulk", share * trials * 16 + all * 8);
      const auto degree = static_cast<std::uint64_t>(options.network.bulk.in_degree);
      if (options.network.bulk.kind == config::BulkKind::sparse)
        table.emplace_back("sparse bulk", share * (degree * 12 + 8));
    }
  }
  // Each sum over neurons is a wide accumulator and its message: kappa, and the latents of a saved row.
  const auto rank = static_cast<std::uint64_t>(network.rank);
  const auto sums = config::is_sundials(options.integration.method) ? 2 * rank : trials * (2 * rank);
  const auto inputs = trials * static_cast<std::uint64_t>(network.inputs);
  table.emplace_back("exact sums", 2 * 8 * parallel::ExactAccumulator::word_count * (sums + inputs));
  table.emplace_back("rows being collected", row_buffers);
  return table;
}

}  // namespace

Plan plan_simulation(const Request& request, const parallel::Communicator& comm) {
  const auto& options = request.options;
  check_combination(options);
  check_output(request, comm);
  const auto times = row_times(options.time);
  const auto network = hollow_network(options, comm);
  check_network(options, network);
  std::optional<model::Observation> observation;
  const auto seed = static_cast<std::uint64_t>(options.run.seed);
  if (options.observation) observation.emplace(*options.observation, network.rank, seed);
  make_initial_state(options.initial, options.time.trials, network.rank, seed);
  const LatentNoise noise(options.noise, network.rank, seed);
  const Recorder<double> recorder(
      {.output = options.output,
       .network = network,
       .observation = observation ? &*observation : nullptr,
       .inputs = model::Inputs(options.inputs, options.time.trials, options.time.step, network.inputs, seed),
       .row_times = times,
       .trials = options.time.trials,
       .paths = {}},
      comm);
  if (request.type == io::FileType::recording) {
    io::RunLayout layout;
    describe_recording(layout, options, observation ? &*observation : nullptr);
  }
  return {.neurons = network.neurons(),
          .rank = network.rank,
          .inputs = network.inputs,
          .rows = static_cast<std::int64_t>(times.size()),
          .ranks = comm.size(),
          .memory = memory_table(options, network, recorder.buffer_bytes(), comm),
          .file_bytes = recorder.file_bytes() + final_bytes(options, network)};
}

std::uint64_t Plan::memory_per_rank() const {
  std::uint64_t sum = 0;
  for (const auto& [what, bytes] : memory) sum += bytes;
  return sum;
}

std::string Plan::text() const {
  std::string out =
      fmt::format("neurons {}, rank {}, input channels {}, saved rows per trial {}\n", neurons, rank, inputs, rows);
  out += fmt::format("memory per rank on {} rank{}: {}\n", ranks, ranks == 1 ? "" : "s",
                     bytes_text(static_cast<double>(memory_per_rank())));
  for (const auto& [what, bytes] : memory)
    out += fmt::format("  {:<28} {}\n", what, bytes_text(static_cast<double>(bytes)));
  out += fmt::format("output file: {}\n", bytes_text(static_cast<double>(file_bytes)));
  return out;
}

}  // namespace rankflow::simulate
