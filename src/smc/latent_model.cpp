#include "smc/latent_model.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "model/small_array.hpp"
#include "parallel/draws.hpp"

namespace rankflow::smc {

using config::ReadoutSource;
using config::Transition;

namespace {

void check_channels(const config::LatentModelOptions& options, std::int64_t channels) {
  if (options.observation.source != ReadoutSource::latent && channels > options.network.neurons)
    throw ConfigurationError(
        "observation.source: \"rates\" and \"currents\" show one neuron per channel; the data have {} channels, "
        "network.neurons is {}: at least as many neurons are needed",
        channels, options.network.neurons);
}

/// Standard normals, scaled; the stream's index tells parameters apart.
void draw_normal(std::uint64_t seed, nn::ParameterLayout::Id id, double scale, std::span<double> out) {
  const parallel::Stream stream(seed, parallel::Purpose::parameter_start);
  parallel::normal<double>(stream, {.index = static_cast<std::uint32_t>(id)}, 0, out);
  for (double& value : out) value *= scale;
}

/// Replaces `part` by the array given, if one is.
void take_given(const config::ArraySource& source, const std::string& key, const std::vector<std::int64_t>& shape,
                std::span<double> part) {
  if (!source.given) return;
  const auto array = model::read_small_array(source, key);
  if (array.shape != shape)
    throw InputDataError("{} has shape {}, the model needs {}", model::describe_source(source, key),
                         model::shape_text(array.shape), model::shape_text(shape));
  std::copy(array.values.begin(), array.values.end(), part.begin());
}

/// Log variances on the diagonal in place of the factor's entries.
void take_given_factor(const config::ArraySource& source, const std::string& key,
                       const std::vector<std::int64_t>& shape, std::span<double> part) {
  if (!source.given) return;
  const std::int64_t rank = shape[0];
  const bool diagonal = shape.size() == 1;
  std::vector<double> factor(static_cast<std::size_t>(rank * rank));
  take_given(source, key, {rank, rank}, factor);
  for (std::int64_t r = 0; r < rank; ++r) {
    for (std::int64_t q = 0; q < rank; ++q) {
      const double value = factor[static_cast<std::size_t>(r * rank + q)];
      if (r == q && !(value > 0))
        throw InputDataError("{}: the diagonal must be positive, found {} at [{},{}]",
                             model::describe_source(source, key), value, r, q);
      if (value != 0 && (q > r || (diagonal && q != r)))
        throw InputDataError("{} must be {}, found {} at [{},{}]", model::describe_source(source, key),
                             diagonal ? "diagonal (noise shape \"diagonal\")" : "lower triangular", value, r, q);
      if (r == q)
        part[static_cast<std::size_t>(diagonal ? r : r * rank + r)] = 2 * std::log(value);
      else if (!diagonal)
        part[static_cast<std::size_t>(r * rank + q)] = value;
    }
  }
}

void set_factor(double std, std::int64_t rank, std::span<double> part) {
  const bool diagonal = part.size() == static_cast<std::size_t>(rank);
  for (std::int64_t r = 0; r < rank; ++r)
    part[static_cast<std::size_t>(diagonal ? r : r * rank + r)] = 2 * std::log(std);
}

/// Standard deviation of the first biases of units with a kink.
constexpr double bias_scale = 0.1;

bool is_piecewise_linear(config::Activation activation) {
  return activation == config::Activation::relu || activation == config::Activation::clipped_relu;
}

}  // namespace

LatentModel::LatentModel(const config::LatentModelOptions& options, std::int64_t channels, std::int64_t inputs)
    : options_(options), channels_(channels), inputs_(inputs) {
  check_channels(options, channels);
  const std::int64_t neurons = this->neurons();
  const std::int64_t rank = this->rank();
  const auto noise_shape = [rank](config::NoiseShape shape) {
    return shape == config::NoiseShape::full ? std::vector<std::int64_t>{rank, rank} : std::vector<std::int64_t>{rank};
  };
  decay = layout_.add("decay", {}, options.network.train_decay);
  m = layout_.add("m", {neurons, rank}, options.network.transition == Transition::low_rank);
  n = layout_.add("n", {neurons, rank});
  if (inputs > 0) input_weights = layout_.add("input_weights", {neurons, inputs});
  bias = layout_.add("bias", {neurons});
  if (options.noise.initial_mean == config::InitialMean::trainable) initial_mean = layout_.add("initial_mean", {rank});
  initial_noise = layout_.add("initial_noise", noise_shape(options.noise.initial));
  transition_noise = layout_.add("transition_noise", noise_shape(options.noise.transition));
  const bool affine = options.observation.source == ReadoutSource::latent;
  observation_weights = layout_.add(
      "observation_weights", affine ? std::vector<std::int64_t>{channels, rank} : std::vector<std::int64_t>{channels},
      options.observation.train_weights);
  if (options.observation.inputs && inputs > 0)
    observation_inputs = layout_.add("observation_inputs", {channels, inputs});
  observation_bias = layout_.add("observation_bias", {channels});
  if (options.observation.kind == config::ObservationKind::gaussian)
    observation_log_variance = layout_.add("observation_log_variance", {channels});
}

std::vector<double> LatentModel::initial_parameters(std::uint64_t seed) const {
  std::vector<double> flat(static_cast<std::size_t>(layout_.total()), 0.0);
  const auto part = [&](Id id) { return layout_.part(std::span<double>(flat), id); };
  const auto& network = options_.network;
  const auto& given = options_.parameters;
  part(decay)[0] = std::log(-std::log(network.decay));
  if (network.transition == Transition::full_rank) {
    for (std::int64_t i = 0; i < neurons(); ++i) part(m)[static_cast<std::size_t>(i * (rank() + 1))] = 1;
  } else {
    draw_normal(seed, m, 1 / std::sqrt(3 * static_cast<double>(rank())), part(m));
  }
  // The recurrent input then is of the order of the leak for latents of order 1. Rates of clipped units are small with
  // small biases, and n is large for it: steps of the optimiser then are small beside n.
  const bool clipped = network.activation == config::Activation::clipped_relu;
  const double typical_rate = clipped ? 0.6 * bias_scale : 0.3;
  draw_normal(seed, n, (1 - network.decay) / (typical_rate * std::sqrt(static_cast<double>(neurons()))), part(n));
  if (input_weights) draw_normal(seed, *input_weights, 0.1, part(*input_weights));
  if (is_piecewise_linear(network.activation)) draw_normal(seed, bias, bias_scale, part(bias));
  set_factor(options_.noise.initial_std, rank(), part(initial_noise));
  set_factor(options_.noise.transition_std, rank(), part(transition_noise));
  if (options_.observation.source == ReadoutSource::latent)
    draw_normal(seed, observation_weights, 1 / std::sqrt(static_cast<double>(rank())), part(observation_weights));
  else
    std::ranges::fill(part(observation_weights), 1.0);
  if (observation_log_variance)
    std::ranges::fill(part(*observation_log_variance), 2 * std::log(options_.observation.std));

  take_given(given.m, "parameters.m", layout_.shape(m), part(m));
  take_given(given.n, "parameters.n", layout_.shape(n), part(n));
  take_given(given.bias, "parameters.bias", layout_.shape(bias), part(bias));
  if (input_weights)
    take_given(given.input_weights, "parameters.input_weights", layout_.shape(*input_weights), part(*input_weights));
  if (initial_mean)
    take_given(given.initial_mean, "parameters.initial_mean", layout_.shape(*initial_mean), part(*initial_mean));
  take_given_factor(given.initial_cholesky, "parameters.initial_cholesky", layout_.shape(initial_noise),
                    part(initial_noise));
  take_given_factor(given.transition_cholesky, "parameters.transition_cholesky", layout_.shape(transition_noise),
                    part(transition_noise));
  take_given(given.observation_weights, "parameters.observation_weights", layout_.shape(observation_weights),
             part(observation_weights));
  take_given(given.observation_bias, "parameters.observation_bias", layout_.shape(observation_bias),
             part(observation_bias));
  if (observation_log_variance && given.observation_variance.given) {
    const auto variance = part(*observation_log_variance);
    take_given(given.observation_variance, "parameters.observation_variance", {channels_}, variance);
    for (double& value : variance) {
      if (!(value > 0))
        throw InputDataError("{}: variances must be positive, found {}",
                             model::describe_source(given.observation_variance, "parameters.observation_variance"),
                             value);
      value = std::log(value);
    }
  }
  return flat;
}

void add_proposal_parameters(LatentModel& model, config::Proposal proposal) {
  if (proposal == config::Proposal::encoder) model.layout().add("proposal_log_variance", {model.rank()});
}

}  // namespace rankflow::smc
