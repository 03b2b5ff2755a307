#pragma once
#include <cstdint>
#include <optional>

#include "config/options.hpp"

namespace rankflow::config {

/// What data say about a connectivity: see analysis/identifiability.
struct IdentifiabilityOptions {
  double penalty = 4e-4;                       ///< lambda
  bool evidence = false;                       ///< estimate lambda, noise and prior from the data
  std::optional<double> prior_deviation = {};  ///< s; default: root mean square of the given n
  double tolerance = 1e-7;                     ///< of the reduced features
  std::int64_t grid = 32;                      ///< points along each latent
  double margin = 0.25;                        ///< of the box beyond what was visited, in units of its extent
  double supported = 0.95;                     ///< share of the visited states that sets the standard
  std::optional<double> step = {};             ///< s between rows of an array
  ArraySource inputs = {};                     ///< u [trial, time, input] beside an array

  template <class V>
  void describe(V& v) {
    v.real(
        "penalty", penalty,
        {.doc = "lambda of (1/T) sum_t |y_t - (1/N) sum_i n_i phi_i(t)|^2 + lambda (1/N) sum_i |n_i|^2", .above = 0.0});
    v.flag("evidence", evidence,
           {.doc = "estimate lambda, and the variances of noise and prior behind it, by maximising the evidence; needs "
                   "data with noise"});
    v.real("prior_deviation", prior_deviation,
           {.doc = "standard deviation of n without data, for credible widths; default: the root mean square of the "
                   "given n; with evidence = true it is estimated",
            .above = 0.0});
    v.real("tolerance", tolerance,
           {.doc = "relative error of the functions that stand for the neurons' features", .above = 0.0, .below = 1.0});
    v.integer("grid", grid,
              {.doc = "points along each latent at which the flow field's support is looked at (rank 1 to 3)",
               .minimum = 2,
               .maximum = 1000});
    v.real("margin", margin,
           {.doc = "how far the grid goes beyond the visited latents, in units of their extent", .minimum = 0.0});
    v.real("supported", supported,
           {.doc = "the flow field counts as supported where its standard deviation is no larger than at this share of "
                   "the visited states",
            .above = 0.0,
            .below = 1.0});
    v.real("step", step,
           {.doc = "time between rows of latents given as an array, for networks without a decay of their own",
            .unit = "s",
            .above = 0.0});
    v.array("inputs", inputs, {.doc = "inputs u [trial, time, input] that belong to latents given as an array"});
  }

  void validate(const Checker& check) const {
    if (evidence && prior_deviation)
      check.fail("prior_deviation", "with evidence = true it is estimated; give one of the two");
  }
};

/// Everything `rankflow analyze identifiability` can be told by --set; for fits also the tables of `filter`.
struct AnalyzeIdentifiabilityOptions {
  IdentifiabilityOptions identifiability;

  template <class V>
  void describe(V& v) {
    v.table("identifiability", identifiability, "what the data determine");
  }
};

}  // namespace rankflow::config
