#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/flow_options.hpp"
#include "config/network_options.hpp"
#include "config/ridge_options.hpp"
#include "config/simulate_options.hpp"

namespace rankflow::config {

/// Where the visited states come from.
enum class LatentSource { simulation, run, array, fit };
/// How the drift at a visited state is known.
enum class DriftSource { differences, network };

/// [run] of a fit that has no precision to choose: flows are trained in single precision, n is solved for in double.
struct FlowRunOptions {
  std::int64_t seed = 1;
  double wall_time = 0.0;
  double checkpoint_every = 600.0;
  std::int64_t pause_after = 0;
  std::string start;

  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed of every random stream", .minimum = 0, .maximum = 4e18});
    v.real("wall_time", wall_time,
           {.doc = "stop with a checkpoint (exit code 75) after this long; 0: no limit", .unit = "s", .minimum = 0.0});
    v.real("checkpoint_every", checkpoint_every,
           {.doc = "wall time between checkpoints; 0: only when stopped", .unit = "s", .minimum = 0.0});
    v.integer("pause_after", pause_after,
              {.doc = "stop with a checkpoint (exit code 75) after so many epochs, those of both flows counted; "
                      "--resume goes on as if it had not; 0: never",
               .minimum = 0});
    v.path("start", start, {.doc = "flow file whose networks the training starts from (same shapes); none: random"});
  }
};

/// [latents.simulation]: the network itself, integrated in latent space by Euler steps from a grid of initial states.
struct LatentSimulationOptions {
  double step = 0.01;
  std::int64_t rows = 100;
  std::int64_t grid_points = 20;
  double grid_extent = 2.4;
  std::int64_t repeats = 1;
  double noise = 0.0;

  template <class V>
  void describe(V& v) {
    v.real("step", step, {.doc = "time step; alpha is step / network.tau", .unit = "s", .above = 0.0});
    v.integer("rows", rows, {.doc = "states of a trial, the first included", .minimum = 2, .maximum = 100000000});
    v.integer("grid_points", grid_points,
              {.doc = "initial states per latent dimension, evenly spaced", .minimum = 1, .maximum = 1000000});
    v.real("grid_extent", grid_extent, {.doc = "the grid covers [-grid_extent, grid_extent]", .above = 0.0});
    v.integer("repeats", repeats,
              {.doc = "trials from each initial state, for noise and inputs", .minimum = 1, .maximum = 1000000});
    v.real("noise", noise, {.doc = "sigma of the latent noise, as noise.latent of simulate", .minimum = 0.0});
  }
};

/// [latents]: the visited states.
struct LatentOptions {
  LatentSource source = LatentSource::simulation;
  std::string file;
  ArraySource array, inputs, mask;
  InputPath input_path = InputPath::filtered;
  std::optional<double> decay;
  DriftSource drift = DriftSource::differences;
  std::int64_t particles = 256;
  double validation_fraction = 0.2;
  double test_fraction = 0.2;
  LatentSimulationOptions simulation;

  template <class V>
  void describe(V& v) {
    v.choice("source", source,
             {{"simulation", LatentSource::simulation, "the network itself, from a grid of initial states"},
              {"run", LatentSource::run, "latents and inputs of a run file"},
              {"array", LatentSource::array, "any array [trial, time, rank]"},
              {"fit", LatentSource::fit, "posterior means of a fit's latents given the data it was fitted to"}},
             {.doc = "where the visited states come from"});
    v.path("file", file, {.doc = "the run or the fit"});
    v.array("array", array,
            {.doc = "latents [trial, time, rank] or [time, rank]; rows that do not count may hold any number"});
    v.array("inputs", inputs, {.doc = "inputs u [trial, time, input] or [time, input] beside array"});
    v.array("mask", mask, {.doc = "[trial, time] beside array: 0 where a row does not count"});
    v.choice("input_path", input_path,
             {{"filtered", InputPath::filtered, "v, the input filtered by the network's leak from v(0) = 0"},
              {"raw", InputPath::raw, "the inputs as they are"}},
             {.doc = "which input the neurons see (a fit knows its own)"});
    v.real("decay", decay,
           {.doc = "1 - alpha of z(t+1) = decay z(t) + alpha (1/N) n^T phi; default: the network's, else 1 - (time "
                   "between rows) / tau",
            .minimum = 0.0,
            .below = 1.0});
    v.choice("drift", drift,
             {{"differences", DriftSource::differences, "(z(t+1) - decay z(t)) / alpha"},
              {"network", DriftSource::network, "(1/N) n^T phi of the given network: without noise of the latents"}},
             {.doc = "what the network's recurrent drive is at a visited state"});
    v.integer("particles", particles, {.doc = "of the smoother, for source = \"fit\"", .minimum = 2, .maximum = 1e7});
    v.real("validation_fraction", validation_fraction,
           {.doc = "share of the trials that judges the training", .minimum = 0.0, .below = 1.0});
    v.real("test_fraction", test_fraction,
           {.doc = "share of the trials that judges the result", .minimum = 0.0, .below = 1.0});
    v.table("simulation", simulation, "for source = \"simulation\"");
  }

  void validate(const Checker& check) const {
    const bool from_file = source == LatentSource::run || source == LatentSource::fit;
    if (from_file && file.empty()) check.fail("file", "source = \"run\" and \"fit\" need the path of a file");
    if (!from_file && !file.empty())
      check.fail("file", "is given, but latents.source is neither \"run\" nor \"fit\": it would not be read");
    if (source == LatentSource::array && !array.given)
      check.fail("array", "source = \"array\" needs the latents [trial, time, rank]");
    if (source != LatentSource::array && (array.given || inputs.given || mask.given))
      check.fail("array", "array, inputs and mask are for latents.source = \"array\": they would not be used");
    if (validation_fraction + test_fraction >= 1)
      check.fail("test_fraction", "leaves no trial to learn from beside validation_fraction = {}, found {}",
                 validation_fraction, test_fraction);
  }
};

/// A flow and how it is trained.
struct FlowPartOptions {
  VelocityOptions network;
  FlowTrainingOptions training;
  bool standardise = true;
  std::int64_t validation_every = 10;

  template <class V>
  void describe(V& v) {
    v.group(network);
    v.group(training);
    v.flag("standardise", standardise, {.doc = "the network sees numbers of mean 0 and variance 1"});
    v.integer("validation_every", validation_every, {.doc = "epochs between two judgements", .minimum = 1});
  }
};

/// [loadings_flow]: the distribution of (m, b, d).
struct LoadingsFlowOptions : FlowPartOptions {
  double validation_fraction = 0.0;

  template <class V>
  void describe(V& v) {
    FlowPartOptions::describe(v);
    v.real("validation_fraction", validation_fraction,
           {.doc = "share of the neurons that judges the training instead of teaching", .minimum = 0.0, .below = 1.0});
  }
};

/// [conditional_flow]: the distribution of n given (m, b, d).
struct ConditionalFlowOptions : FlowPartOptions {
  std::int64_t neurons = 1000;
  bool draws = false;
  std::int64_t judged_neurons = 20000;

  ConditionalFlowOptions() { training.batch = 1000; }

  template <class V>
  void describe(V& v) {
    FlowPartOptions::describe(v);
    v.integer("neurons", neurons,
              {.doc = "neurons that are drawn from the loadings' flow for an epoch and solved for n",
               .minimum = 2,
               .maximum = 100000000});
    v.flag("draws", draws,
           {.doc = "teach n drawn from its Gaussian posterior (the maximum-entropy distribution) instead of its mean"});
    v.integer("judged_neurons", judged_neurons,
              {.doc = "neurons drawn in the end to compare their drift with that of the data; 0: none",
               .minimum = 0,
               .maximum = 1e9});
  }
};

/// Everything `rankflow fit flow` reads.
struct FitFlowOptions {
  FlowRunOptions run;
  NetworkOptions network;
  LatentOptions latents;
  std::vector<InputOptions> inputs;
  RidgeOptions ridge;
  LoadingsFlowOptions loadings_flow;
  ConditionalFlowOptions conditional_flow;
  FlowSamplerOptions sampler;

  template <class V>
  void describe(V& v) {
    v.table("run", run, "the run as a whole");
    v.table("network", network, "whose loadings m, b, d are learned");
    v.table("latents", latents, "the dynamics that are to be kept");
    v.tables("inputs", inputs, "signals of latents.source = \"simulation\"; those on the same channel add");
    v.table("ridge", ridge, "n given (m, b, d) and the visited states");
    v.table("loadings_flow", loadings_flow, "the distribution of (m, b, d)");
    v.table("conditional_flow", conditional_flow, "the distribution of n given (m, b, d)");
    v.table("sampler", sampler, "how the loadings' flow is drawn from for the conditional one");
  }

  void validate(const Checker& check) const {
    if (network.bulk.kind != BulkKind::none)
      check.fail("network.bulk.kind", "flows describe the low-rank part only; leave the bulk out");
    if (latents.source != LatentSource::simulation && !inputs.empty())
      check.fail("inputs", "are for latents.source = \"simulation\": they would not be used");
  }
};

}  // namespace rankflow::config
