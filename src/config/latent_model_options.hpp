#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/network_options.hpp"
#include "config/simulate_options.hpp"

namespace rankflow::config {

enum class Transition { low_rank, full_rank };
enum class NoiseShape { full, diagonal };
enum class InitialMean { zero, trainable, bias };
enum class ReadoutSource { latent, rates, currents };

/// The network of a stochastic low-rank RNN that is fitted (Pals et al. 2024, eq. 1-2):
///   z(t+1) = decay z(t) + n^T phi(m z(t) + b v(t), d) + transition noise
struct FittedNetworkOptions {
  std::int64_t neurons = 128;
  std::int64_t rank = 2;
  Transition transition = Transition::low_rank;
  Activation activation = Activation::clipped_relu;
  double decay = 0.9;
  bool train_decay = true;
  double tau = 0.1;
  InputPath input_path = InputPath::filtered;

  template <class V>
  void describe(V& v) {
    v.integer("neurons", neurons, {.doc = "number of neurons N", .minimum = 1, .maximum = 100000000});
    v.integer("rank", rank, {.doc = "rank R, the dimension of the latent state", .minimum = 1, .maximum = 64});
    v.choice("transition", transition,
             {{"low_rank", Transition::low_rank, "J = m n^T with trainable m and n"},
              {"full_rank", Transition::full_rank,
               "comparison model: every neuron is a latent (rank = neurons, m the identity), n trainable"}},
             {.doc = "form of the recurrent connectivity"});
    v.choice("activation", activation,
             {{"tanh", Activation::tanh, "tanh(x + d)"},
              {"relu", Activation::relu, "max(x + d, 0)"},
              {"clipped_relu", Activation::clipped_relu, "max(x + d, 0) - max(x, 0)"},
              {"softplus", Activation::softplus, "log(1 + exp(x + d))"},
              {"sigmoid", Activation::sigmoid, "1 / (1 + exp(-x - d))"},
              {"erf", Activation::erf, "erf(sqrt(pi)/2 (x + d))"},
              {"identity", Activation::identity, "x + d"}},
             {.doc = "rate of a neuron as a function of its potential x and bias d"});
    v.real("decay", decay, {.doc = "initial per-step decay of the latents, 1 - alpha", .above = 0.0, .below = 1.0});
    v.flag("train_decay", train_decay, {.doc = "whether the decay is fitted"});
    v.real("tau", tau, {.doc = "time constant written into the fitted network", .unit = "s", .above = 0.0});
    v.choice(
        "input_path", input_path,
        {{"raw", InputPath::raw, "v(t) = u(t)"},
         {"filtered", InputPath::filtered, "v(t+1) = decay v(t) + (1 - decay) u(t), v(0) = 0: the network's leak"}},
        {.doc = "how inputs reach the neurons"});
  }

  void validate(const Checker& check) const {
    if (transition == Transition::full_rank && rank != neurons)
      check.fail("rank", "must equal neurons ({}) for transition = \"full_rank\", found {}", neurons, rank);
    if (transition == Transition::low_rank && rank > neurons)
      check.fail("rank", "must not exceed neurons ({}), found {}", neurons, rank);
  }
};

/// Noise of the latents and their first state: z(0) ~ N(mean, initial covariance).
struct LatentNoiseOptions {
  NoiseShape transition = NoiseShape::full;
  NoiseShape initial = NoiseShape::full;
  double transition_std = 0.1;
  double initial_std = 1.0;
  InitialMean initial_mean = InitialMean::trainable;

  template <class V>
  void describe(V& v) {
    const std::vector<Alternative<NoiseShape>> shapes = {{"full", NoiseShape::full, "a full covariance"},
                                                         {"diagonal", NoiseShape::diagonal, "independent latents"}};
    v.choice("transition", transition, shapes, {.doc = "covariance of the transition noise"});
    v.choice("initial", initial, shapes, {.doc = "covariance of the initial state"});
    v.real("transition_std", transition_std,
           {.doc = "initial standard deviation of the transition noise per step", .above = 0.0});
    v.real("initial_std", initial_std, {.doc = "initial standard deviation of the initial state", .above = 0.0});
    v.choice("initial_mean", initial_mean,
             {{"zero", InitialMean::zero, "0"},
              {"trainable", InitialMean::trainable, "a parameter, 0 at first"},
              {"bias", InitialMean::bias, "n^T phi(0, d): one step from the origin"}},
             {.doc = "mean of the initial state"});
  }
};

/// Observations of the fitted model: x ~ Gaussian or Poisson with mean link(s); s affine in the latents (and the
/// inputs), or for channel c a multiple of the rate or current of neuron c (Pals et al. 2024, eq. 3 and suppl. C).
struct FittedObservationOptions {
  ObservationKind kind = ObservationKind::gaussian;
  ReadoutSource source = ReadoutSource::latent;
  std::optional<Link> link;
  bool inputs = false;
  double std = 0.5;
  bool train_weights = true;

  template <class V>
  void describe(V& v) {
    v.choice("kind", kind,
             {{"gaussian", ObservationKind::gaussian, "mean plus independent Gaussian noise"},
              {"poisson", ObservationKind::poisson, "spike counts per bin"}},
             {.doc = "distribution of an observation"});
    v.choice("source", source,
             {{"latent", ReadoutSource::latent, "s = weights z + bias"},
              {"rates", ReadoutSource::rates, "channel c sees neuron c: s = weight_c phi(m_c z + b_c v, d_c) + bias_c"},
              {"currents", ReadoutSource::currents, "channel c sees neuron c: s = weight_c (m_c z + b_c v) + bias_c"}},
             {.doc = "what is observed"});
    v.choice("link", link,
             {{"identity", Link::identity, "s"},
              {"exponential", Link::exponential, "exp(s)"},
              {"softplus", Link::softplus, "log(1 + exp(s)) + 1e-6"},
              {"relu", Link::relu, "max(s, 0) + 1e-6"}},
             {.doc = "from s to the mean; default: identity for gaussian, softplus for poisson"});
    v.flag("inputs", inputs, {.doc = "add trainable weights from the inputs v to s (source = \"latent\")"});
    v.real(
        "std", std,
        {.doc = "initial standard deviation of Gaussian observations, in units of each channel's own", .above = 0.0});
    v.flag("train_weights", train_weights, {.doc = "whether the weights are fitted"});
  }

  Link link_or_default() const {
    return link.value_or(kind == ObservationKind::poisson ? Link::softplus : Link::identity);
  }

  void validate(const Checker& check) const {
    if (kind == ObservationKind::poisson && link_or_default() == Link::identity)
      check.fail("link", "a Poisson mean must not be negative: choose \"softplus\", \"exponential\" or \"relu\"");
    if (inputs && source != ReadoutSource::latent)
      check.fail("inputs", "is for source = \"latent\"; rates and currents hold the inputs already");
  }
};

/// Arrays that replace the random initial values, to start from a given network or to hold one that is published.
struct InitialParameterOptions {
  ArraySource m, n, input_weights, bias, initial_mean, transition_cholesky, initial_cholesky, observation_weights,
      observation_bias, observation_variance;

  template <class V>
  void describe(V& v) {
    v.array("m", m, {.doc = "[neuron, rank]"});
    v.array("n", n, {.doc = "[neuron, rank], such that z(t+1) = decay z + n^T phi(...): no factor 1/N"});
    v.array("input_weights", input_weights, {.doc = "[neuron, input]"});
    v.array("bias", bias, {.doc = "[neuron]"});
    v.array("initial_mean", initial_mean, {.doc = "[rank], with noise.initial_mean = \"trainable\""});
    v.array("transition_cholesky", transition_cholesky,
            {.doc = "[rank, rank], lower triangular with a positive diagonal"});
    v.array("initial_cholesky", initial_cholesky, {.doc = "[rank, rank], lower triangular with a positive diagonal"});
    v.array("observation_weights", observation_weights, {.doc = "[channel, rank] for latents, else [channel]"});
    v.array("observation_bias", observation_bias, {.doc = "[channel]"});
    v.array("observation_variance", observation_variance, {.doc = "[channel]"});
  }
};

/// Everything that says what a stochastic low-rank RNN is.
struct LatentModelOptions {
  FittedNetworkOptions network;
  LatentNoiseOptions noise;
  FittedObservationOptions observation;
  InitialParameterOptions parameters;

  template <class V>
  void describe(V& v) {
    v.table("network", network, "the network that is fitted");
    v.table("noise", noise, "noise of the latents and their initial state");
    v.table("observation", observation, "how the latents are observed");
    v.table("parameters", parameters, "arrays to start from, instead of random values");
  }
};

}  // namespace rankflow::config
