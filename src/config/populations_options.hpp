#pragma once
#include <cstdint>
#include <vector>

#include "config/options.hpp"

namespace rankflow::config {

/// Latent states at which flow fields are looked at.
struct GridOptions {
  double range = 2.4;
  std::int64_t points = 30;
  std::vector<double> inputs;

  template <class V>
  void describe(V& v) {
    v.real("range", range, {.doc = "latents from minus this to this", .above = 0.0});
    v.integer("points", points,
              {.doc = "points along each latent for ranks 1 and 2; higher ranks get its square in all",
               .minimum = 2,
               .maximum = 1000});
    v.reals("inputs", inputs, {.doc = "constant input u, one value per input channel; left out: 0"});
  }
};

/// How populations of neurons are told apart (docs/populations.md).
struct PopulationsOptions {
  std::int64_t seed = 1;
  std::int64_t count = 0;
  std::int64_t most = 8;
  std::int64_t folds = 5;
  std::int64_t neurons = 20000;
  std::int64_t starts = 5;
  std::int64_t iterations = 500;
  double tolerance = 1e-6;
  double regularisation = 1e-4;
  double standard_errors = 2.0;
  bool fixed_points = true;
  std::int64_t fixed_point_neurons = 20000;
  std::int64_t fixed_point_starts = 1000;

  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed of starts, folds and resampled networks", .minimum = 0});
    v.integer("count", count,
              {.doc = "number of populations; 0: the fewest that the cross-validation does not reject",
               .minimum = 0,
               .maximum = 64});
    v.integer("most", most, {.doc = "largest number tried", .minimum = 1, .maximum = 64});
    v.integer("folds", folds, {.doc = "parts of the cross-validation", .minimum = 2, .maximum = 100});
    v.integer("neurons", neurons,
              {.doc = "most neurons of the cross-validation, chosen at random; the final mixture takes all",
               .minimum = 20,
               .maximum = 100000000});
    v.integer("starts", starts, {.doc = "k-means++ starts of each mixture", .minimum = 1, .maximum = 10000});
    v.integer("iterations", iterations, {.doc = "most iterations of each mixture", .minimum = 1});
    v.real("tolerance", tolerance,
           {.doc = "a mixture is done when an iteration gains less per neuron", .unit = "nat", .above = 0.0});
    v.real(
        "regularisation", regularisation,
        {.doc = "share of the neurons that each population is believed to have beside its own, with the variances of "
                "the whole network: keeps covariances positive",
         .above = 0.0,
         .maximum = 1.0});
    v.real("standard_errors", standard_errors,
           {.doc = "a number of populations is rejected when its held-out likelihood falls short of the best by more "
                   "standard errors of the difference",
            .minimum = 0.0});
    v.flag("fixed_points", fixed_points,
           {.doc = "look for fixed points of the whole network and without each population"});
    v.integer("fixed_point_neurons", fixed_point_neurons,
              {.doc = "none are looked for in larger networks", .minimum = 1});
    v.integer("fixed_point_starts", fixed_point_starts,
              {.doc = "random starts of each search", .minimum = 1, .maximum = 100000000});
  }
};

/// Everything `rankflow analyze populations` can be told, by --set.
struct AnalyzePopulationsOptions {
  PopulationsOptions populations;
  GridOptions grid;

  template <class V>
  void describe(V& v) {
    v.table("populations", populations, "how populations are told apart");
    v.table("grid", grid, "latent states at which flow fields are looked at");
  }

  void validate(const Checker& check) const {
    if (populations.count > populations.most && check.given("populations.count"))
      check.fail("populations.count", "is {}, above populations.most ({})", populations.count, populations.most);
  }
};

}  // namespace rankflow::config
