#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/options.hpp"

namespace rankflow::config {

enum class ObservationKind { gaussian, poisson };
/// What is observed: the latents, or rates or potentials of neurons.
enum class ObservationSource { latent, rates, potentials };
/// From the affine drive of a channel to the mean of its observation.
enum class Link { identity, exponential, softplus, relu };

struct ObservationOptions {
  ObservationKind kind = ObservationKind::gaussian;
  ObservationSource source = ObservationSource::latent;
  std::int64_t channels = 0;
  ArraySource weights;
  double weight_std = 1.0;
  ArraySource input_weights;
  ArraySource bias;
  double bias_mean = 0.0;
  ArraySource variance;
  double std = 0.1;
  std::optional<Link> link;

  template <class V>
  void describe(V& v) {
    v.choice("kind", kind,
             {{"gaussian", ObservationKind::gaussian, "mean plus independent Gaussian noise"},
              {"poisson", ObservationKind::poisson, "spike counts per saved row with the given mean"}},
             {.doc = "distribution of an observation"});
    v.choice(
        "source", source,
        {{"latent", ObservationSource::latent, "mean = link(weights z + bias)"},
         {"rates", ObservationSource::rates, "channel c sees neuron c: mean = link(weight_c phi(x_c) + bias_c)"},
         {"potentials", ObservationSource::potentials, "channel c sees neuron c: mean = link(weight_c x_c + bias_c)"}},
        {.doc = "what is observed"});
    v.integer("channels", channels,
              {.doc = "number of channels; 0: as many as weights has rows", .minimum = 0, .maximum = 1000000});
    v.array("weights", weights,
            {.doc = "[channel, rank] for latent, else [channel]; default: random for latent, else 1"});
    v.real("weight_std", weight_std, {.doc = "standard deviation of random weights", .minimum = 0.0});
    v.array(
        "input_weights", input_weights,
        {.doc = "[channel, input] weights of the inputs v beside those of the latents (fixed steps in latent space)"});
    v.array("bias", bias, {.doc = "[channel]"});
    v.real("bias_mean", bias_mean, {.doc = "bias of every channel when no array is given"});
    v.array("variance", variance, {.doc = "[channel], variance of Gaussian observations"});
    v.real("std", std,
           {.doc = "standard deviation of Gaussian observations when no variance is given", .minimum = 0.0});
    v.choice("link", link,
             {{"identity", Link::identity, "s"},
              {"exponential", Link::exponential, "exp(s)"},
              {"softplus", Link::softplus, "log(1 + exp(s))"},
              {"relu", Link::relu, "max(s, 0)"}},
             {.doc = "from affine drive to mean; default: identity for gaussian, softplus for poisson"});
  }

  void validate(const Checker& check) const {
    if (input_weights.given && source != ObservationSource::latent)
      check.fail("input_weights", "are for source = \"latent\": rates and potentials hold the inputs already");
  }
};

}  // namespace rankflow::config
