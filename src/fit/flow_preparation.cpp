#include "fit/flow_preparation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "config/load.hpp"
#include "config/relative_paths.hpp"
#include "connectivity/loadings.hpp"
#include "core/error.hpp"
#include "fit/flow_checks.hpp"
#include "fit/flow_drive.hpp"
#include "fit/flow_file.hpp"
#include "io/checkpoint_store.hpp"
#include "model/build_network.hpp"
#include "parallel/draws.hpp"

namespace rankflow::fit {
namespace {

/// Steps in which an unstable network would show itself, and how far it may go beyond what was visited.
constexpr int flow_stability_steps = 1000;
constexpr double flow_stability_margin = 1e3;
constexpr std::int64_t flow_stability_trials = 32;

model::Network<double> flow_network(const config::FitFlowOptions& options, const parallel::Communicator& comm) {
  check_flow_options(options);
  auto network = model::build_network<double>(options.network, flow_input_channels(options, comm),
                                              static_cast<std::uint64_t>(options.run.seed), comm);
  if (network.leak != 1.0)
    throw ConfigurationError(
        "network.leak is {}; flows need a leak of 1: divide tau and n by it and set leak = 1, which is the same "
        "network",
        network.leak);
  if (network.has_own_tau())
    throw ConfigurationError(
        "network: every neuron has its own time constant, but latent dynamics need a shared one; set network.tau");
  return network;
}

/// (m, b, d) of all neurons on every rank, row after row.
std::vector<double> gather_loadings(const model::Network<double>& network, bool has_bias,
                                    const parallel::Communicator& comm) {
  std::vector<double> mine;
  for (std::int64_t i = 0; i < network.partition.count(); ++i) {
    for (int r = 0; r < network.rank; ++r) mine.push_back(network.m.at(i, r));
    for (int k = 0; k < network.inputs; ++k) mine.push_back(network.input_weights.at(i, k));
    if (has_bias) mine.push_back(network.bias.at(i, 0));
  }
  const auto counts = comm.all_gather(static_cast<std::int64_t>(mine.size()));
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  comm.all_gather(std::span<const double>(mine), std::span<double>(all), counts);
  return all;
}

bool any_bias(const model::Network<double>& network, const parallel::Communicator& comm) {
  const auto values = network.bias.values();
  return comm.any(std::any_of(values.begin(), values.end(), [](double d) { return d != 0; }));
}

/// The network from the first visited states, without input and noise.
void require_stable(const FlowLatents& latents, const model::Network<double>& network,
                    const parallel::Communicator& comm) {
  const auto rank = static_cast<std::size_t>(latents.rank);
  double largest = 0;
  for (const double z : latents.z)
    if (std::isfinite(z)) largest = std::max(largest, std::abs(z));
  const auto trials = std::min(flow_stability_trials, latents.trials);
  std::vector<double> z;
  for (std::int64_t trial = 0; trial < trials; ++trial) {
    const auto* first = latents.z.data() + static_cast<std::size_t>(trial * latents.steps) * rank;
    z.insert(z.end(), first, first + rank);
  }
  const std::vector<double> v(static_cast<std::size_t>(trials * latents.inputs), 0.0);
  for (int step = 1; step <= flow_stability_steps; ++step) {
    const auto drive = network_drive(network, {trials, z.data(), v.data()}, comm);
    for (std::size_t i = 0; i < z.size(); ++i) {
      z[i] = latents.decay * z[i] + (1 - latents.decay) * drive[i];
      if (!(std::abs(z[i]) <= flow_stability_margin * largest))
        throw NumericalError(
            "the fitted network is unstable: from the first state of trial {} its latent {} reaches {:.3g} within {} "
            "steps, the fit's own latents stay within {:.3g}; fit it longer, or with a bounded activation",
            i / rank, i % rank, z[i], step, largest);
    }
  }
}

void split_rows(FlowPreparation& prepared, const std::vector<double>& rows) {
  const auto variables = static_cast<std::size_t>(prepared.system.variables());
  const auto neurons = static_cast<std::size_t>(prepared.neurons);
  const double share = prepared.options().loadings_flow.validation_fraction;
  auto held_out = static_cast<std::size_t>(std::floor(share * static_cast<double>(neurons)));
  if (share > 0) held_out = std::max<std::size_t>(held_out, 1);
  if (held_out >= neurons)
    throw ConfigurationError("loadings_flow.validation_fraction = {} of {} neurons leaves none to learn from", share,
                             neurons);
  std::vector<double> keys(neurons);
  parallel::uniform<double>(parallel::Stream(prepared.seed(), parallel::Purpose::batch_choice), {.index = 1}, 0, keys);
  auto sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < neurons; ++i) {
    auto& target = keys[i] < sorted[held_out] ? prepared.validation_rows : prepared.training_rows;
    target.insert(target.end(), rows.begin() + static_cast<std::ptrdiff_t>(i * variables),
                  rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * variables));
  }
}

std::string variables_text(const FlowSystem& system) {
  return fmt::format("rank {}, {} input(s), {} bias", system.rank, system.inputs, system.has_bias ? "a" : "no");
}

/// Weights that stand for other variables, or were taught another path, would be no start.
void require_same_kind(const LoadedConnectivity& earlier, const FlowPreparation& prepared) {
  const auto& file = prepared.options().run.start;
  if (variables_text(earlier.system) != variables_text(prepared.system))
    throw InputDataError("'{}' describes neurons with {}, the network here has {}; start from a flow of the same kind",
                         file, variables_text(earlier.system), variables_text(prepared.system));
  if (earlier.options.loadings_flow.training.path != prepared.options().loadings_flow.training.path ||
      earlier.options.conditional_flow.training.path != prepared.options().conditional_flow.training.path)
    throw InputDataError("'{}' was taught another path; give loadings_flow.path and conditional_flow.path as there",
                         file);
}

/// New networks; with run.start those of an earlier file.
void make_flows(FlowPreparation& prepared, const parallel::Communicator& comm) {
  const auto& options = prepared.options();
  const auto variables = prepared.system.variables();
  const auto seed = prepared.seed();
  auto& loadings = prepared.loadings_flow;
  auto& conditional = prepared.conditional_flow;
  loadings = flow::make_flow(options.loadings_flow.network, variables, 0, 2 * seed);
  conditional = flow::make_flow(options.conditional_flow.network, prepared.system.rank, variables, 2 * seed + 1);
  const auto measured = flow::standardisation(prepared.training_rows, variables);
  if (options.loadings_flow.standardise) {
    loadings.mean = measured.mean;
    loadings.scale = measured.scale;
  }
  if (options.conditional_flow.standardise) {
    conditional.condition_mean = measured.mean;
    conditional.condition_scale = measured.scale;
  }
  if (options.run.start.empty()) return;
  with_context("starting from run.start = " + options.run.start, [&] {
    auto earlier = load_flow(comm, options.run.start);
    require_same_kind(earlier, prepared);
    const auto take = [&](flow::Flow& flow, flow::Flow& from, const char* table) {
      if (from.parameters.size() != flow.parameters.size() || from.mean.size() != flow.mean.size() ||
          from.network.layers() != flow.network.layers() || from.condition_mean.size() != flow.condition_mean.size())
        throw InputDataError("'{}': the networks of {} have other shapes ({} parameters there, {} here); use the same",
                             options.run.start, table, from.parameters.size(), flow.parameters.size());
      flow = std::move(from);
    };
    take(loadings, earlier.loadings_flow, "loadings_flow");
    take(conditional, earlier.conditional_flow, "conditional_flow");
  });
}

std::string hash_of_values(std::span<const double> values) {
  const auto bytes = std::as_bytes(values);
  return io::hash_of(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

FlowPreparation::FlowPreparation(const FlowRequest& asked, const parallel::Communicator& comm)
    : request(asked),
      loadings_flow(flow::make_flow(asked.options.loadings_flow.network, 1, 0, 0)),
      conditional_flow(flow::make_flow(asked.options.conditional_flow.network, 1, 0, 0)) {
  const auto network = flow_network(options(), comm);
  const auto latents = make_flow_latents(options(), network, comm);
  neurons = network.neurons();
  system = {.rank = network.rank,
            .inputs = network.inputs,
            .has_bias = network.has_bias() && any_bias(network, comm),
            .activation = network.activation,
            .tau = network.shared_tau,
            .decay = latents.decay,
            .input_path = options().latents.source == config::LatentSource::simulation ? options().latents.input_path
                                                                                       : latents.path};
  if (options().latents.source == config::LatentSource::fit) require_stable(latents, network, comm);
  const auto split = split_flow_latents(latents, options().latents, seed());
  for (const auto part : {FlowSplit::training, FlowSplit::validation, FlowSplit::test}) {
    auto& states_here = parts[static_cast<std::size_t>(part)];
    states_here = states_of_part(latents, split, part);
    if (options().latents.drift == config::DriftSource::network && states_here.rows > 0)
      states_here.y = network_drive(network, connectivity::rows_of(states_here), comm);
  }
  connectivity::check_loadings(connectivity::loadings_of(network), states(FlowSplit::training), comm);
  check_flow_sizes(*this);
  split_rows(*this, gather_loadings(network, system.has_bias, comm));
  make_flows(*this, comm);
}

std::string FlowPreparation::identity() const {
  // What the files hold counts, not where they lie: a fit may be moved with its data.
  auto placeless = options();
  config::RelativePaths folders_left_out;
  config::Visitor(folders_left_out).group(placeless);
  std::string text = lasting_toml(placeless) + hash_of_values(training_rows) + hash_of_values(validation_rows) +
                     hash_of_values(loadings_flow.parameters) + hash_of_values(conditional_flow.parameters);
  for (const auto& part : parts) text += hash_of_values(part.z) + hash_of_values(part.v) + hash_of_values(part.y);
  return io::hash_of(text);
}

std::int64_t FlowPreparation::dropped() const noexcept {
  return parts[0].dropped + parts[1].dropped + parts[2].dropped;
}

std::string lasting_toml(config::FitFlowOptions options) {
  options.run.wall_time = 0;
  options.run.checkpoint_every = 0;
  options.run.pause_after = 0;
  return config::resolved_toml(options);
}

std::vector<std::filesystem::path> input_files(const config::FitFlowOptions& options) {
  std::vector<std::filesystem::path> files;
  for (const auto* path : {&options.network.file, &options.latents.file, &options.run.start})
    if (!path->empty()) files.emplace_back(*path);
  const auto& arrays = options.network.arrays;
  for (const auto* source : {&arrays.m, &arrays.n, &arrays.input_weights, &arrays.bias, &options.latents.array,
                             &options.latents.inputs, &options.latents.mask})
    if (!source->path.empty()) files.emplace_back(source->path);
  return files;
}

}  // namespace rankflow::fit
