#include "fit/identifiability_latents.hpp"

#include <cmath>

#include "config/leaf_reader.hpp"
#include "config/load.hpp"
#include "core/error.hpp"
#include "fit/filter_data.hpp"
#include "fit/saved_latents.hpp"
#include "model/small_array.hpp"

namespace rankflow::fit {
namespace {

/// Two ways to write a time step, as 1 / 160 and 0.00625.
constexpr double same_interval = 1e-6;

/// z(t+1) = (1 - leak gain) z + gain F(z, v).
struct LatentStep {
  double gain = 0;
  double leak = 1;
  config::InputPath path = config::InputPath::filtered;
  bool exact = true;
};

/// Visited states of a step with any leak, in the form of a step with leak 1: F/leak, v leak.
connectivity::VisitedStates states_with_leak(const connectivity::Trajectories& trajectories, const LatentStep& step) {
  auto states = connectivity::visited_states(trajectories, step.gain * step.leak, step.path);
  for (double& y : states.y) y *= step.leak;
  if (step.path == config::InputPath::filtered)
    for (double& v : states.v) v /= step.leak;
  states.alpha = step.gain;
  return states;
}

void require_latent_equation(const model::Network<double>& network) {
  if (network.has_own_tau())
    throw InputDataError(
        "the network has time constants of its own for each neuron (dataset 'tau'): its latents have no equation of "
        "their own; give it one time constant (the attribute 'tau')");
  if (!network.decay && !(network.leak > 0))
    throw InputDataError("the network's leak is {}: only for a leak above 0 latents forget what drove them",
                         network.leak);
}

/// The shape [trial, time, R] that latents must have.
void require_latent_shape(const std::vector<std::int64_t>& shape, const std::string& what,
                          const model::Network<double>& network) {
  if (shape.size() != 3)
    throw InputDataError("{} has shape {}; latents are [trial, time, rank] or [time, rank]", what,
                         model::shape_text(shape));
  if (shape[2] != network.rank)
    throw InputDataError(
        "{} has latents of rank {} (shape {}), but the network's m has rank {}; give latents of this "
        "network",
        what, shape[2], model::shape_text(shape), network.rank);
}

std::string run_configuration(const io::File& file) {
  const auto text = file.attribute("/provenance", "configuration");
  if (!text || !std::holds_alternative<std::string>(*text))
    throw InputDataError(
        "'{}' does not say how it was made (/provenance has no configuration): give its latents as an "
        "array, {}:/trajectory/latent",
        file.name(), file.name());
  return std::get<std::string>(*text);
}

LatentStep step_of_run(const io::File& file, double interval, const model::Network<double>& network) {
  const auto options = config::load_text<config::SimulateOptions>(run_configuration(file), file.name(), {}).options;
  const auto method = options.integration.method;
  const bool one_step = std::abs(interval - options.time.step) <= same_interval * interval;
  LatentStep step{.leak = network.leak, .path = options.integration.input_path};
  step.exact = one_step && !config::is_sundials(method);
  const double ratio = interval / network.shared_tau;
  if (method == config::Method::map && network.decay) {
    if (!one_step)
      throw InputDataError("'{}': rows are {} s apart, steps of the map {} s; save every step", file.name(), interval,
                           options.time.step);
    step.leak = 1;
    step.gain = 1 - *network.decay;
  } else if (step.exact && method != config::Method::exponential_euler) {
    step.gain = ratio;
  } else {
    step.gain = -std::expm1(-network.leak * ratio) / network.leak;
  }
  return step;
}

model::SmallArray read_rows_array(const config::ArraySource& source, const char* key) {
  auto array = model::read_small_array(source, key);
  if (array.shape.size() == 2) array.shape.insert(array.shape.begin(), 1);
  return array;
}

void require_sound(const io::File& file) {
  require_model(file);
  const auto status = file.attribute("/provenance", "status");
  if (!status || *status != io::Attribute(std::string("failed"))) return;
  const auto failure = file.attribute("/provenance", "failure");
  throw InputDataError(
      "'{}' is of an unstable fit: it ended with \"{}\"; fit again, with a smaller training.optimiser.learning_rate",
      file.name(), failure && std::holds_alternative<std::string>(*failure) ? std::get<std::string>(*failure) : "");
}

/// Removes a file of all ranks at the end, whatever happens.
class ScratchFile {
 public:
  ScratchFile(std::filesystem::path path, const parallel::Communicator& comm) : path_(std::move(path)), comm_(comm) {}
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() {
    std::error_code ignored;
    if (comm_.is_root()) std::filesystem::remove(path_, ignored);
  }

 private:
  std::filesystem::path path_;
  const parallel::Communicator& comm_;
};

}  // namespace

KnownLatents latents_of_run(const std::filesystem::path& path, const model::Network<double>& network,
                            const parallel::Communicator& comm) {
  require_latent_equation(network);
  const auto file = io::File::open(comm, path);
  auto saved = read_saved_latents(file);
  require_latent_shape({saved.trials, saved.rows, saved.rank}, "'" + path.string() + "'", network);
  const auto step = step_of_run(file, saved.interval, network);
  if (network.inputs == 0) saved.u.clear();
  if (network.inputs > 0 && saved.inputs != network.inputs)
    throw InputDataError(
        "'{}' has {} input(s), but the network has {} input channel(s); simulate with output.inputs = true",
        path.string(), saved.inputs, network.inputs);
  return {.states = states_with_leak({.trials = saved.trials,
                                      .steps = saved.rows,
                                      .rank = network.rank,
                                      .inputs = network.inputs,
                                      .latents = saved.z,
                                      .signals = saved.u,
                                      .mask = {}},
                                     step),
          .origin = {.description = path.filename().string() + ":/trajectory/latent", .exact_steps = step.exact}};
}

KnownLatents latents_of_array(const config::ArraySource& source, const model::Network<double>& network,
                              const config::IdentifiabilityOptions& options) {
  require_latent_equation(network);
  const auto z = read_rows_array(source, "DATA");
  require_latent_shape(z.shape, model::describe_source(source, "DATA"), network);
  if (!network.decay && !options.step)
    throw ConfigurationError(
        "identifiability.step: the time between rows of an array is not known and the network has no decay of its own; "
        "give it in s");
  LatentStep step{.gain = network.decay ? 1 - *network.decay : *options.step / network.shared_tau,
                  .leak = network.decay ? 1.0 : network.leak};
  if (!(step.gain * step.leak <= 1))
    throw ConfigurationError("identifiability.step: {} s is longer than the network forgets in ({} s)",
                             options.step.value_or(0), network.shared_tau / network.leak);
  model::SmallArray u;
  if (network.inputs > 0) {
    if (!options.inputs.given)
      throw ConfigurationError(
          "identifiability.inputs: the network has {} input channel(s); give u [trial, time, input]", network.inputs);
    u = read_rows_array(options.inputs, "identifiability.inputs");
    if (u.shape.size() != 3 || u.shape[0] != z.shape[0] || u.shape[1] != z.shape[1] || u.shape[2] != network.inputs)
      throw InputDataError("{} has shape {}; expected [{}, {}, {}]",
                           model::describe_source(options.inputs, "identifiability.inputs"), model::shape_text(u.shape),
                           z.shape[0], z.shape[1], network.inputs);
  }
  return {.states = states_with_leak({.trials = z.shape[0],
                                      .steps = z.shape[1],
                                      .rank = network.rank,
                                      .inputs = network.inputs,
                                      .latents = z.values,
                                      .signals = u.values,
                                      .mask = {}},
                                     step),
          .origin = {.description = std::filesystem::path(source.path).filename().string()}};
}

KnownLatents latents_of_fit(const FilterRequest& request, const model::Network<double>& network,
                            const parallel::Communicator& comm, Console& console) {
  require_sound(io::File::open(comm, request.source));
  FilterRequest drawn = request;
  drawn.options.filter.smoothing = config::Smoothing::backward;
  drawn.options.filter.trajectories = 1;
  const ScratchFile scratch(request.output, comm);
  run_filter(drawn, comm, console);
  const auto data = load_filter_data(drawn, comm);
  auto z = io::File::open(comm, request.output).read_all<double>("/smoothed/trajectories");
  std::vector<std::uint8_t> mask;
  for (std::int64_t b = 0; b < data.trials; ++b)
    for (std::int64_t t = 0; t < data.times; ++t) mask.push_back(t < data.lengths[static_cast<std::size_t>(b)] ? 1 : 0);
  const LatentStep step{.gain = 1 - network.decay.value_or(0.0), .path = request.fit.options.model.network.input_path};
  return {.states = states_with_leak({.trials = data.trials,
                                      .steps = data.times,
                                      .rank = network.rank,
                                      .inputs = network.inputs,
                                      .latents = z,
                                      .signals = data.input_values,
                                      .mask = mask},
                                     step),
          .origin = {.description = "drawn by " + request.source.filename().string(), .given_loadings = false}};
}

KnownLatents latents_of_flow(const LoadedConnectivity& flow, const std::filesystem::path& source) {
  const auto latents = flow.options.latents.source;
  return {.states = flow.states,
          .origin = {.description = "training trials of " + source.filename().string(),
                     .exact_steps = latents != config::LatentSource::run,  // it may have saved fewer rows than steps
                     .given_loadings = latents != config::LatentSource::fit}};
}

}  // namespace rankflow::fit
