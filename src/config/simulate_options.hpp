#pragma once
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/input_options.hpp"
#include "config/network_options.hpp"
#include "config/observation_options.hpp"
#include "config/options.hpp"

namespace rankflow::config {

/// Of weights, states and the sums within a tile; sums over tiles are exact in either.
enum class Precision { double_, single };
/// What is integrated: potentials of all neurons, or the latents they are a function of.
enum class Space { neuron, latent };
enum class Method { map, euler, exponential_euler, runge_kutta, adams, bdf };
/// What neurons in latent space see: u itself, or v that follows u with the leak (docs/architecture.md, Symbols).
enum class InputPath { raw, filtered };

/// True for the methods of SUNDIALS; the others are our own fixed-step updates.
inline bool is_sundials(Method method) {
  return method == Method::runge_kutta || method == Method::adams || method == Method::bdf;
}

/// [run]: seed, precision, and the limits of a session; a resumed run may change the limits only.
struct RunOptions {
  std::int64_t seed = 1;
  Precision precision = Precision::double_;
  double wall_time = 0.0;
  double checkpoint_every = 600.0;

  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed of every random stream", .minimum = 0});
    v.choice(
        "precision", precision,
        {{"double", Precision::double_, "64-bit"},
         {"single", Precision::single, "32-bit weights and states; in simulations map, euler, exponential_euler only"}},
        {.doc = "arithmetic of the neurons, or of the particles"});
    v.real("wall_time", wall_time,
           {.doc = "stop with a checkpoint (exit code 75) after this long; 0: no limit", .unit = "s", .minimum = 0.0});
    v.real("checkpoint_every", checkpoint_every,
           {.doc = "wall time between checkpoints; 0: only when stopped", .unit = "s", .minimum = 0.0});
  }
};

/// [time]: the grid of a trial, its saved rows, and how many trials. Times in s.
struct TimeOptions {
  double step = 1e-3;
  double duration = 1.0;
  std::optional<double> save_every;
  std::vector<double> save_at;
  std::int64_t trials = 1;

  template <class V>
  void describe(V& v) {
    v.real("step", step,
           {.doc = "time step of fixed-step methods; first step and grid of random inputs for adaptive ones",
            .unit = "s",
            .above = 0.0});
    v.real("duration", duration, {.doc = "simulated time per trial", .unit = "s", .minimum = 0.0});
    v.real("save_every", save_every, {.doc = "interval between saved rows; default: step", .unit = "s", .above = 0.0});
    v.reals("save_at", save_at,
            {.doc = "times to save instead, ascending; adaptive methods interpolate, fixed-step methods need multiples "
                    "of step",
             .unit = "s"});
    v.integer("trials", trials, {.doc = "number of trials", .minimum = 1, .maximum = 10000000});
  }

  void validate(const Checker& check) const {
    if (duration / step > 4e9)
      check.fail("duration", "needs {:.3g} steps of {} s; at most 4e9 can be counted", duration / step, step);
    if (duration > 0 && step > duration)
      check.fail("step", "must not exceed time.duration ({} s), found {} s", duration, step);
    for (std::size_t i = 0; i < save_at.size(); ++i) {
      if (!(save_at[i] >= 0.0 && save_at[i] <= duration))
        check.fail("save_at", "times must lie in [0, duration = {}], found {}", duration, save_at[i]);
      if (i > 0 && save_at[i] <= save_at[i - 1])
        check.fail("save_at", "times must ascend, found {} after {}", save_at[i], save_at[i - 1]);
    }
    if (save_every && !save_at.empty()) check.fail("save_every", "give either save_every or save_at, not both");
    if (save_every && *save_every > duration && duration > 0)
      check.fail("save_every", "must not exceed time.duration ({}), found {}", duration, *save_every);
  }
};

/// [integration]: method and its tolerances. What does not go together with other tables is refused by
/// simulate/validation, which sees them all.
struct IntegrationOptions {
  Space space = Space::neuron;
  Method method = Method::euler;
  std::int64_t order = 4;
  bool adaptive = true;
  double relative_tolerance = 1e-6;
  double absolute_tolerance = 1e-8;
  std::int64_t maximum_steps = 10000000;
  std::optional<double> restart_every;
  InputPath input_path = InputPath::filtered;

  template <class V>
  void describe(V& v) {
    v.choice("space", space,
             {{"neuron", Space::neuron, "integrate the potential of every neuron"},
              {"latent", Space::latent, "integrate the latent state; exact where the theory holds, refused elsewhere"}},
             {.doc = "what is integrated"});
    v.choice(
        "method", method,
        {{"map", Method::map, "discrete-time map: x(t+1) = decay x(t) + (1 - decay) (m kappa + b u) + noise"},
         {"euler", Method::euler, "explicit Euler, Euler-Maruyama with noise"},
         {"exponential_euler", Method::exponential_euler, "exact for the leak and for leak plus noise"},
         {"runge_kutta", Method::runge_kutta, "explicit Runge-Kutta (ARKODE)"},
         {"adams", Method::adams, "Adams-Moulton of variable order (CVODE)"},
         {"bdf", Method::bdf, "stiff: backward differentiation of variable order with an exact linear solver (CVODE)"}},
        {.doc = "integration method"});
    v.integer("order", order,
              {.doc = "order of runge_kutta; 7 runs the method of order 8", .minimum = 2, .maximum = 8});
    v.flag("adaptive", adaptive, {.doc = "adaptive steps for runge_kutta; adams and bdf always are"});
    v.real("relative_tolerance", relative_tolerance,
           {.doc = "relative tolerance of adaptive methods", .above = 0.0, .below = 1.0});
    v.real("absolute_tolerance", absolute_tolerance, {.doc = "absolute tolerance of adaptive methods", .above = 0.0});
    v.integer("maximum_steps", maximum_steps, {.doc = "internal steps allowed between two restarts", .minimum = 1});
    v.real("restart_every", restart_every,
           {.doc = "runge_kutta, adams and bdf start afresh at multiples of this time, where checkpoints are possible; "
                   "default: a tenth of the duration",
            .unit = "s",
            .above = 0.0});
    v.choice("input_path", input_path,
             {{"filtered", InputPath::filtered, "v, the input filtered by the network's leak"},
              {"raw", InputPath::raw, "u itself (method = \"map\" in latent space)"}},
             {.doc = "which input the neurons see"});
  }

  void validate(const Checker& check) const {
    if (input_path == InputPath::raw && (method != Method::map || space != Space::latent))
      check.fail("input_path",
                 "\"raw\" is for method = \"map\" with space = \"latent\": elsewhere the leak filters inputs");
  }
};

/// [initial]: z(0), whose potentials are m z(0), plus random parts. Default: all 0.
struct InitialOptions {
  ArraySource latent;
  ArraySource latent_cholesky;
  double latent_std = 0.0;
  double potential_std = 0.0;

  template <class V>
  void describe(V& v) {
    v.array("latent", latent, {.doc = "initial latent state: [rank] for all trials or [trial, rank]; default 0"});
    v.array("latent_cholesky", latent_cholesky,
            {.doc = "lower triangular R x R matrix L instead of latent_std: a random part L eps"});
    v.real("latent_std", latent_std,
           {.doc = "standard deviation of a random part of the initial latents", .minimum = 0.0});
    v.real("potential_std", potential_std,
           {.doc = "standard deviation of a random part of every neuron's initial potential (neuron space)",
            .minimum = 0.0});
  }
};

/// [noise]: in every neuron, and shared through the latents; both may be given.
struct NoiseOptions {
  double neuron = 0.0;
  double latent = 0.0;
  ArraySource latent_cholesky;

  template <class V>
  void describe(V& v) {
    v.real("neuron", neuron,
           {.doc = "sigma of independent noise in every neuron: sigma sqrt(2/tau) dW, so that an isolated neuron with "
                   "leak 1 has standard deviation sigma; sigma per step for the map",
            .minimum = 0.0});
    v.real("latent", latent,
           {.doc = "sigma of independent noise in every latent, scaled alike; it enters the neurons through m",
            .minimum = 0.0});
    v.array("latent_cholesky", latent_cholesky,
            {.doc = "lower triangular R x R matrix L instead of sigma: noise L eps"});
  }
};

/// [output]: what is saved besides latents and integrator statistics. The chosen neurons hold for rates and potentials.
struct OutputOptions {
  bool rates = false;
  bool potentials = false;
  bool population_means = false;
  bool inputs = false;
  bool network = true;
  bool final_state = true;
  std::int64_t first_neurons = 0;
  std::vector<std::int64_t> neurons;

  template <class V>
  void describe(V& v) {
    v.flag("rates", rates, {.doc = "save /trajectory/rates of the chosen neurons"});
    v.flag("potentials", potentials, {.doc = "save /trajectory/potentials of the chosen neurons (neuron space)"});
    v.integer("first_neurons", first_neurons,
              {.doc = "choose the first so many neurons; 0 with no list: all of them", .minimum = 0});
    v.integers("neurons", neurons, {.doc = "choose these neurons (0-based, ascending)"});
    v.flag("population_means", population_means, {.doc = "save the mean rate of each population"});
    v.flag("inputs", inputs, {.doc = "save the inputs u"});
    v.flag("network", network, {.doc = "store the network in the run file when it has at most 1e6 neurons"});
    v.flag("final_state", final_state, {.doc = "store the state at the end of each trial"});
  }

  void validate(const Checker& check) const {
    for (std::size_t i = 0; i < neurons.size(); ++i)
      if (neurons[i] < 0 || (i > 0 && neurons[i] <= neurons[i - 1]))
        check.fail("neurons", "must be 0-based and strictly ascending, found {}", neurons[i]);
    if (first_neurons > 0 && !neurons.empty())
      check.fail("first_neurons", "give either first_neurons or neurons, not both");
  }
};

/// Ends a trial when a latent crosses a threshold.
struct StopOptions {
  std::int64_t latent = 0;
  std::optional<double> above;
  std::optional<double> below;

  template <class V>
  void describe(V& v) {
    v.integer("latent", latent, {.doc = "which latent", .minimum = 0});
    v.real("above", above, {.doc = "stop when it rises to this value"});
    v.real("below", below, {.doc = "stop when it falls to this value"});
  }

  void validate(const Checker& check) const {
    if (!above && !below) check.fail("above", "a [stop] table needs above or below");
  }
};

/// Everything `rankflow simulate` and `rankflow generate recording` read.
struct SimulateOptions {
  RunOptions run;
  NetworkOptions network;
  TimeOptions time;
  IntegrationOptions integration;
  InitialOptions initial;
  NoiseOptions noise;
  std::vector<InputOptions> inputs;
  std::optional<ObservationOptions> observation;
  std::optional<StopOptions> stop;
  OutputOptions output;

  template <class V>
  void describe(V& v) {
    v.table("run", run, "the run as a whole");
    v.table("network", network, "what the network is");
    v.table("time", time, "time and trials");
    v.table("integration", integration, "how it is integrated");
    v.table("initial", initial, "initial state");
    v.table("noise", noise, "noise of the dynamics");
    v.tables("inputs", inputs, "one entry per input signal; signals on the same channel add");
    v.optional_table("observation", observation, "an observation model, to save /trajectory/observations");
    v.optional_table("stop", stop, "end a trial early");
    v.table("output", output, "what is saved besides the latents");
  }
};

}  // namespace rankflow::config
