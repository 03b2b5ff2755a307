#pragma once
#include <cstdint>

#include "config/flow_options.hpp"
#include "config/ridge_options.hpp"
#include "config/simulate_options.hpp"

namespace rankflow::config {

/// A network from a flow file.
struct SampleNetworkOptions {
  std::int64_t neurons = 1000;
  std::int64_t seed = 1;
  bool conditional_mean = false;
  Precision precision = Precision::double_;

  template <class V>
  void describe(V& v) {
    v.integer("neurons", neurons, {.doc = "neurons of the network", .minimum = 1, .maximum = 1e12});
    v.integer("seed", seed,
              {.doc = "seed of the draws; more neurons of the same seed keep the first ones", .minimum = 0});
    v.flag("conditional_mean", conditional_mean,
           {.doc = "n is solved for, given the m, b, d that were drawn and the visited states, instead of drawn too"});
    v.choice("precision", precision,
             {{"double", Precision::double_, "64-bit"}, {"single", Precision::single, "32-bit"}},
             {.doc = "numbers in the file"});
  }
};

/// Everything `rankflow sample` is told by --set.
struct SampleOptions {
  SampleNetworkOptions sample;
  FlowSamplerOptions sampler;
  RidgeOptions ridge;

  template <class V>
  void describe(V& v) {
    v.table("sample", sample, "the network");
    v.table("sampler", sampler, "how flows are integrated");
    v.table("ridge", ridge, "for sample.conditional_mean; default: as in the fit");
  }
};

}  // namespace rankflow::config
