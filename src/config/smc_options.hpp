#pragma once
#include <cstdint>
#include <vector>

#include "config/options.hpp"

namespace rankflow::config {

enum class Proposal { bootstrap, optimal, encoder };
enum class Resampling { multinomial, stratified, systematic, residual };

/// The particle filter (Pals et al. 2024, section 3.2; Doucet & Johansen 2009).
struct SmcOptions {
  std::int64_t particles = 64;
  Proposal proposal = Proposal::optimal;
  Resampling resampling = Resampling::systematic;
  double threshold = 1.0;

  template <class V>
  void describe(V& v) {
    v.integer("particles", particles, {.doc = "particles K per trial", .minimum = 1, .maximum = 100000000});
    v.choice("proposal", proposal,
             {{"bootstrap", Proposal::bootstrap, "the transition itself"},
              {"optimal", Proposal::optimal,
               "the transition given the observation, for Gaussian observations affine in the latents (Kalman)"},
              {"encoder", Proposal::encoder,
               "the transition times a Gaussian that a convolutional network reads from the data"}},
             {.doc = "what particles are drawn from"});
    v.choice("resampling", resampling,
             {{"multinomial", Resampling::multinomial, "independent draws"},
              {"stratified", Resampling::stratified, "one draw in each of K equal strata"},
              {"systematic", Resampling::systematic, "one draw for all strata"},
              {"residual", Resampling::residual, "whole parts kept, multinomial for the rest"}},
             {.doc = "how ancestors are chosen"});
    v.real("threshold", threshold,
           {.doc = "resample when the effective sample size falls below this share of K; 1: at every step",
            .minimum = 0.0,
            .maximum = 1.0});
  }
};

/// The network that reads the data for proposal = "encoder": 1-D convolutions over time with GELU between them,
/// the last one giving mean (and log variance) of every latent.
struct EncoderOptions {
  std::vector<std::int64_t> kernels = {21, 11, 1};
  std::int64_t channels = 64;
  bool causal = false;
  bool inputs = true;

  template <class V>
  void describe(V& v) {
    v.integers("kernels", kernels,
               {.doc = "width in time steps of each layer's kernel", .minimum = 1, .maximum = 10001});
    v.integer("channels", channels, {.doc = "channels of the hidden layers", .minimum = 1, .maximum = 65536});
    v.flag("causal", causal, {.doc = "see the past and present only"});
    v.flag("inputs", inputs, {.doc = "read the inputs beside the observations"});
  }

  /// Time steps that one output sees.
  std::int64_t width() const {
    std::int64_t steps = 1;
    for (const auto kernel : kernels) steps += kernel - 1;
    return steps;
  }

  void validate(const Checker& check) const {
    if (kernels.empty()) check.fail("kernels", "needs at least one layer");
    for (const auto kernel : kernels)
      if (!causal && kernel % 2 == 0)
        check.fail("kernels", "must be odd unless encoder.causal is true, found {}", kernel);
  }
};

}  // namespace rankflow::config
