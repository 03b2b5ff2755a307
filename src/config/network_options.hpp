#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/options.hpp"

namespace rankflow::config {

/// Where connectivity comes from; every source fills the same model::Network.
enum class NetworkSource { preset, populations, heavy_tailed, file, arrays };
/// Named networks; their statistics are in model/presets.
enum class Preset { bistable, quadstable, limit_cycle, ring_attractor, decision };
/// phi(x, d) of potential x and bias d; formulas in model/activation.hpp.
enum class Activation { tanh, relu, clipped_relu, softplus, sigmoid, erf, identity };
enum class HeavyTail { student_t, log_normal };
/// Random connectivity: none, stored (PETSc), or drawn again at every use.
enum class BulkKind { none, sparse, procedural };
enum class TimeConstants { shared, log_uniform };

/// One component of a Gaussian mixture over a neuron's loadings (m, n, input weights, bias), in this
/// order: R values of m, R of n, I of b, one of d. Beiran et al. 2021, Dubreuil, Valente et al. 2022.
struct PopulationOptions {
  std::string name;
  double weight = 1.0;
  std::vector<double> mean;
  std::vector<std::vector<double>> covariance;

  template <class V>
  void describe(V& v) {
    v.text("name", name, {.doc = "name of the population in outputs"});
    v.real("weight", weight, {.doc = "share of the neurons, relative to the other populations", .above = 0.0});
    v.reals("mean", mean, {.doc = "mean of (m, n, b, d): R + R + I + 1 values; trailing values left out are 0"});
    v.matrix("covariance", covariance,
             {.doc = "covariance of (m, n, b, d); a smaller matrix is the leading block, the rest is 0"});
  }
};

/// Loadings with tails heavier than Gaussian whose overlaps E[n m^T] are prescribed.
struct HeavyTailedOptions {
  HeavyTail distribution = HeavyTail::student_t;
  double degrees_of_freedom = 4.0;
  double log_std = 1.0;
  std::vector<std::vector<double>> overlap;
  double residual_std = 0.5;

  template <class V>
  void describe(V& v) {
    v.choice("distribution", distribution,
             {{"student_t", HeavyTail::student_t, "multivariate Student-t, scaled to unit variance"},
              {"log_normal", HeavyTail::log_normal, "log-normal, shifted and scaled to mean 0 and variance 1"}},
             {.doc = "distribution of the entries of m"});
    v.real("degrees_of_freedom", degrees_of_freedom,
           {.doc = "tail index of student_t; the variance is finite above 2", .above = 2.0});
    v.real("log_std", log_std,
           {.doc = "standard deviation of the logarithm for log_normal", .above = 0.0, .maximum = 3.0});
    v.matrix("overlap", overlap, {.doc = "R x R matrix E[n_r m_s]: row r, column s"});
    v.real("residual_std", residual_std,
           {.doc = "standard deviation of the part of n that is independent of m (same distribution)", .minimum = 0.0});
  }
};

/// Loadings from arrays of any file.
struct ArrayNetworkOptions {
  ArraySource m, n, input_weights, bias, tau;

  template <class V>
  void describe(V& v) {
    v.array("m", m, {.doc = "left connectivity vectors [neuron, rank]"});
    v.array("n", n, {.doc = "right connectivity vectors [neuron, rank]"});
    v.array("input_weights", input_weights, {.doc = "input weights b [neuron, input]"});
    v.array("bias", bias, {.doc = "bias d [neuron]"});
    v.array("tau", tau, {.doc = "time constants [neuron]", .unit = "s"});
  }
};

/// Random connectivity g chi beside the low-rank part.
struct BulkOptions {
  BulkKind kind = BulkKind::none;
  double gain = 0.0;
  std::int64_t in_degree = 0;
  bool dale = false;
  double excitatory_fraction = 0.8;

  template <class V>
  void describe(V& v) {
    v.choice("kind", kind,
             {{"none", BulkKind::none, "no random bulk"},
              {"sparse", BulkKind::sparse, "stored as a distributed sparse matrix"},
              {"procedural", BulkKind::procedural, "drawn again from its random stream at every use, nothing stored"}},
             {.doc = "how the bulk is kept"});
    v.real("gain", gain, {.doc = "g: the bulk's spectral radius for large N", .minimum = 0.0});
    v.integer("in_degree", in_degree,
              {.doc = "inputs of each neuron, chosen at random with replacement; 0 for all-to-all (procedural only)",
               .minimum = 0});
    v.flag("dale", dale, {.doc = "all outgoing weights of a neuron have one sign"});
    v.real("excitatory_fraction", excitatory_fraction,
           {.doc = "share of excitatory neurons with dale; inhibition is stronger so that the mean weight is 0",
            .above = 0.0,
            .below = 1.0});
  }
};

/// [network]: one source, and what overrides it. An absent activation, tau, leak or decay is the source's own.
struct NetworkOptions {
  NetworkSource source = NetworkSource::preset;
  Preset preset = Preset::ring_attractor;
  std::int64_t neurons = 0;
  std::int64_t rank = 0;
  std::string file;
  std::optional<Activation> activation;
  std::optional<double> tau;
  TimeConstants time_constants = TimeConstants::shared;
  double tau_minimum = 1e-3;
  double tau_maximum = 1.0;
  std::optional<double> leak;
  std::optional<double> decay;
  std::vector<PopulationOptions> populations;
  HeavyTailedOptions heavy_tailed;
  ArrayNetworkOptions arrays;
  BulkOptions bulk;

  template <class V>
  void describe(V& v) {
    v.choice("source", source,
             {{"preset", NetworkSource::preset, "a named network"},
              {"populations", NetworkSource::populations, "Gaussian mixture over (m, n, b, d)"},
              {"heavy_tailed", NetworkSource::heavy_tailed, "Student-t or log-normal loadings"},
              {"file", NetworkSource::file, "a network file, or a run file that holds its network"},
              {"arrays", NetworkSource::arrays, "m, n, ... from .npy, .npz or HDF5 data sets"}},
             {.doc = "where the connectivity comes from"});
    v.choice("preset", preset,
             {{"bistable", Preset::bistable, "two stable fixed points, rank 2"},
              {"quadstable", Preset::quadstable, "four stable fixed points, rank 2"},
              {"limit_cycle", Preset::limit_cycle, "a stable limit cycle, rank 2"},
              {"ring_attractor", Preset::ring_attractor, "a ring of nearly stable states, rank 2"},
              {"decision", Preset::decision, "rank-one decision network with one input"}},
             {.doc = "which named network"});
    v.integer("neurons", neurons,
              {.doc = "number of neurons N; 0: as many as the file or array has (1000 for generated networks)",
               .minimum = 0,
               .maximum = 1000000000000});
    v.integer("rank", rank, {.doc = "rank R; 0: as the source has", .minimum = 0, .maximum = 64});
    v.path("file", file, {.doc = "network file for source = \"file\""});
    v.choice("activation", activation,
             {{"tanh", Activation::tanh, "tanh(x + d)"},
              {"relu", Activation::relu, "max(x + d, 0)"},
              {"clipped_relu", Activation::clipped_relu, "max(x + d, 0) - max(x, 0)"},
              {"softplus", Activation::softplus, "log(1 + exp(x + d))"},
              {"sigmoid", Activation::sigmoid, "1 / (1 + exp(-x - d))"},
              {"erf", Activation::erf, "erf(sqrt(pi)/2 (x + d))"},
              {"identity", Activation::identity, "x + d"}},
             {.doc = "rate of a neuron as a function of its potential x and bias d; default: the file's, else tanh"});
    v.real("tau", tau, {.doc = "shared time constant; default: the file's, else 0.1", .unit = "s", .above = 0.0});
    v.choice("time_constants", time_constants,
             {{"shared", TimeConstants::shared, "tau for every neuron"},
              {"log_uniform", TimeConstants::log_uniform, "per neuron, log-uniform in [tau_minimum, tau_maximum]"}},
             {.doc = "shared or per-neuron time constants"});
    v.real("tau_minimum", tau_minimum, {.doc = "shortest time constant for log_uniform", .unit = "s", .above = 0.0});
    v.real("tau_maximum", tau_maximum, {.doc = "longest time constant for log_uniform", .unit = "s", .above = 0.0});
    v.real("leak", leak,
           {.doc = "leak coefficient: tau dx/dt = -leak x + ...; default: the file's, else 1", .minimum = 0.0});
    v.real("decay", decay,
           {.doc = "per-step decay of the discrete-time map, 1 - alpha; default: the file's, else 1 - leak step / tau",
            .minimum = 0.0,
            .maximum = 1.0});
    v.tables("populations", populations, "one entry per Gaussian component, for source = \"populations\"");
    v.table("heavy_tailed", heavy_tailed, "for source = \"heavy_tailed\"");
    v.table("arrays", arrays, "for source = \"arrays\"");
    v.table("bulk", bulk, "optional random connectivity beside the low-rank part");
  }

  void validate(const Checker& check) const {
    if (tau_maximum < tau_minimum)
      check.fail("tau_maximum", "must not be below tau_minimum ({}), found {}", tau_minimum, tau_maximum);
    if (source == NetworkSource::populations && populations.empty())
      check.fail("populations", "source = \"populations\" needs at least one [[network.populations]] entry");
    if (source == NetworkSource::file && file.empty())
      check.fail("file", "source = \"file\" needs the path of a network file");
    if (source == NetworkSource::arrays && !(arrays.m.given && arrays.n.given))
      check.fail("arrays", "source = \"arrays\" needs both arrays.m and arrays.n");
    if (source == NetworkSource::heavy_tailed && heavy_tailed.overlap.empty())
      check.fail("heavy_tailed", "source = \"heavy_tailed\" needs heavy_tailed.overlap, an R x R matrix");
    if (source != NetworkSource::file && !file.empty())
      check.fail("file", "is given, but network.source is not \"file\": the file would not be read");
    if (source != NetworkSource::populations && !populations.empty())
      check.fail("populations", "are given, but network.source is not \"populations\": they would not be used");
    if (source != NetworkSource::arrays && (arrays.m.given || arrays.n.given))
      check.fail("arrays", "are given, but network.source is not \"arrays\": they would not be used");
    if (tau && time_constants == TimeConstants::log_uniform)
      check.fail("tau", "is a shared time constant, but time_constants = \"log_uniform\" gives every neuron its own");
    if (bulk.kind == BulkKind::none && bulk.gain > 0)
      check.fail("bulk.gain", "is {}, but bulk.kind = \"none\": choose \"sparse\" or \"procedural\"", bulk.gain);
    if (bulk.kind == BulkKind::sparse && bulk.in_degree == 0)
      check.fail("bulk.in_degree",
                 "a sparse bulk needs in_degree of at least 1; all-to-all needs kind = \"procedural\"");
  }
};

}  // namespace rankflow::config
