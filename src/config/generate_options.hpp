#pragma once
#include <cstdint>

#include "config/network_options.hpp"
#include "config/simulate_options.hpp"

namespace rankflow::config {

/// [run] of a network file. The seed and a neuron's index determine its weights: more neurons keep the first ones.
struct GenerateRunOptions {
  std::int64_t seed = 1;
  Precision precision = Precision::double_;  ///< of the numbers in the file

  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed of every random stream", .minimum = 0});
    v.choice("precision", precision,
             {{"double", Precision::double_, "64-bit"}, {"single", Precision::single, "32-bit"}},
             {.doc = "numbers in the file"});
  }
};

/// [generate]: what a simulation would tell from its inputs.
struct GenerateOptions {
  std::int64_t inputs = 0;  ///< channels, for source = populations

  template <class V>
  void describe(V& v) {
    v.integer(
        "inputs", inputs,
        {.doc = "input channels for which source = \"populations\" draws input weights; other sources know theirs",
         .minimum = 0,
         .maximum = 1000});
  }
};

/// Everything `rankflow generate network` reads.
struct GenerateNetworkOptions {
  GenerateRunOptions run;
  GenerateOptions generate;
  NetworkOptions network;

  template <class V>
  void describe(V& v) {
    v.table("run", run, "the run as a whole");
    v.table("generate", generate, "what the network is to be used with");
    v.table("network", network, "what the network is");
  }

  void validate(const Checker& check) const {
    if (network.bulk.kind != BulkKind::none)
      check.fail("network.bulk.kind",
                 "a network file holds the low-rank part only; leave the bulk out here and state it in the "
                 "configuration of the simulation, which draws the same bulk from its seed");
  }
};

}  // namespace rankflow::config
