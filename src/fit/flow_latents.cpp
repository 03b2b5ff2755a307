#include "fit/flow_latents.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "fit/flow_checks.hpp"
#include "fit/saved_latents.hpp"
#include "io/hdf5_file.hpp"
#include "model/inputs.hpp"
#include "model/small_array.hpp"
#include "parallel/draws.hpp"

namespace rankflow::fit {
namespace {

using config::LatentSource;

/// Reads [trial, time, column] or [time, column].
model::SmallArray read_trials(const config::ArraySource& source, const char* key, std::size_t axes) {
  auto array = model::read_small_array(source, key);
  if (array.shape.size() + 1 == axes) array.shape.insert(array.shape.begin(), 1);
  if (array.shape.size() != axes)
    throw InputDataError("{} has shape {}; expected {}", model::describe_source(source, key),
                         model::shape_text(array.shape), axes == 3 ? "[trial, time, column]" : "[trial, time]");
  return array;
}

void require_same_rows(const FlowLatents& latents, const model::SmallArray& array, const char* key) {
  if (array.shape[0] != latents.trials || array.shape[1] != latents.steps)
    throw InputDataError("{} has shape {}, but the latents have {} trial(s) of {} rows", key,
                         model::shape_text(array.shape), latents.trials, latents.steps);
}

FlowLatents latents_from_arrays(const config::LatentOptions& options) {
  FlowLatents latents;
  auto z = read_trials(options.array, "latents.array", 3);
  latents.trials = z.shape[0];
  latents.steps = z.shape[1];
  latents.rank = static_cast<int>(z.shape[2]);
  latents.z = std::move(z.values);
  if (options.inputs.given) {
    auto u = read_trials(options.inputs, "latents.inputs", 3);
    require_same_rows(latents, u, "latents.inputs");
    latents.inputs = static_cast<int>(u.shape[2]);
    latents.u = std::move(u.values);
  }
  if (options.mask.given) {
    const auto mask = read_trials(options.mask, "latents.mask", 2);
    require_same_rows(latents, mask, "latents.mask");
    for (const double value : mask.values) latents.mask.push_back(value != 0 ? 1 : 0);
  }
  latents.path = options.input_path;
  return latents;
}

FlowLatents latents_from_run(const config::LatentOptions& options, const model::Network<double>& network,
                             const parallel::Communicator& comm) {
  const auto file = io::File::open(comm, options.file);
  auto saved = read_saved_latents(file);
  require_run(file, network);
  FlowLatents latents;
  latents.trials = saved.trials;
  latents.steps = saved.rows;
  latents.rank = saved.rank;
  latents.inputs = saved.inputs;
  latents.z = std::move(saved.z);
  latents.u = std::move(saved.u);
  latents.interval = saved.interval;
  latents.path = options.input_path;
  return latents;
}

/// Latents that the network can have, with inputs for all of its channels.
void require_fit(const FlowLatents& latents, const model::Network<double>& network) {
  if (latents.rank != network.rank)
    throw InputDataError("the latents have rank {}, but m of the network has {} column(s): they do not belong together",
                         latents.rank, network.rank);
  if (latents.inputs != network.inputs)
    throw InputDataError(
        "the latents come with {} input channel(s), but the network has input weights for {}; give both the same (a "
        "run needs output.inputs = true)",
        latents.inputs, network.inputs);
}

double decay_of(const FlowLatents& latents, const config::LatentOptions& options,
                const model::Network<double>& network) {
  if (options.decay) return *options.decay;
  if (network.decay) return *network.decay;
  if (!(latents.interval > 0))
    throw ConfigurationError(
        "latents.decay: an array does not tell the time between its rows; give decay, which is 1 - (time between rows) "
        "/ tau");
  const double decay = 1 - latents.interval / network.shared_tau;
  if (decay < 0)
    throw ConfigurationError(
        "latents: rows are {} s apart, the time constant is {} s; save rows at least as dense as that, or give "
        "latents.decay",
        latents.interval, network.shared_tau);
  return decay;
}

std::int64_t trials_of_share(double share, std::int64_t trials) {
  if (share <= 0) return 0;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(share * static_cast<double>(trials))));
}

}  // namespace

int flow_input_channels(const config::FitFlowOptions& options, const parallel::Communicator& comm) {
  const auto& latents = options.latents;
  if (latents.source == LatentSource::simulation) return model::Inputs::channels_driven(options.inputs);
  if (latents.source == LatentSource::array)
    return latents.inputs.given ? static_cast<int>(model::small_array_shape(latents.inputs, "latents.inputs").back())
                                : 0;
  if (latents.source == LatentSource::fit) return 0;  // a fit knows its weights
  const auto file = io::File::open(comm, latents.file);
  return file.has_dataset("/trajectory/inputs") ? static_cast<int>(file.info("/trajectory/inputs").shape.back()) : 0;
}

FlowLatents make_flow_latents(const config::FitFlowOptions& options, const model::Network<double>& network,
                              const parallel::Communicator& comm) {
  const auto& asked = options.latents;
  if (asked.source == LatentSource::simulation) return simulate_flow_latents(options, network, comm);
  auto latents = asked.source == LatentSource::run     ? latents_from_run(asked, network, comm)
                 : asked.source == LatentSource::array ? latents_from_arrays(asked)
                                                       : posterior_flow_latents(options, comm);
  require_fit(latents, network);
  latents.decay = decay_of(latents, asked, network);
  return latents;
}

std::vector<FlowSplit> split_flow_latents(const FlowLatents& latents, const config::LatentOptions& options,
                                          std::uint64_t seed) {
  const bool by_time = latents.trials == 1;
  const auto items = by_time ? latents.steps : latents.trials;
  const auto validation = trials_of_share(options.validation_fraction, items);
  const auto test = trials_of_share(options.test_fraction, items);
  if (validation + test >= items)
    throw ConfigurationError(
        "latents.validation_fraction = {} and test_fraction = {} of {} {} leave none to learn from; make them 0, or "
        "give more",
        options.validation_fraction, options.test_fraction, items, by_time ? "rows" : "trials");
  std::vector<std::size_t> order(static_cast<std::size_t>(items));
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!by_time) {
    std::vector<double> keys(order.size());
    parallel::uniform<double>(parallel::Stream(seed, parallel::Purpose::batch_choice), {}, 0, keys);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  }
  std::vector<FlowSplit> parts(order.size(), FlowSplit::training);
  const auto last = order.size();
  for (std::int64_t i = 0; i < validation + test; ++i)
    parts[order[last - 1 - static_cast<std::size_t>(i)]] = i < test ? FlowSplit::test : FlowSplit::validation;
  if (by_time) return parts;
  std::vector<FlowSplit> split;
  for (const auto part : parts) split.insert(split.end(), static_cast<std::size_t>(latents.steps), part);
  return split;
}

connectivity::VisitedStates states_of_part(const FlowLatents& latents, const std::vector<FlowSplit>& split,
                                           FlowSplit part) {
  std::vector<std::uint8_t> rows(split.size(), 0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = split[i] == part && (latents.mask.empty() || latents.mask[i] != 0) ? 1 : 0;
  connectivity::VisitedStates states;
  states.rank = latents.rank;
  states.inputs = latents.inputs;
  states.alpha = 1 - latents.decay;
  if (std::find(split.begin(), split.end(), part) == split.end()) return states;
  constexpr std::array names{"training", "validation", "test"};
  // A single trial is split in time.
  const char* const what = latents.trials == 1 ? "rows" : "trials";
  with_context(
      fmt::format("collecting the visited states of the {} {}", names[static_cast<std::size_t>(part)], what),
      [&] { states = connectivity::visited_states(latents.trajectories(rows), 1 - latents.decay, latents.path); });
  // Those of other parts are not dropped.
  std::int64_t pairs = 0;
  for (std::size_t i = 0; i + 1 < split.size(); ++i)
    if ((i + 1) % static_cast<std::size_t>(latents.steps) != 0 && split[i] == part && split[i + 1] == part) ++pairs;
  states.dropped = pairs - states.rows;
  return states;
}

}  // namespace rankflow::fit
