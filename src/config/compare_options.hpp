#pragma once
#include <cstdint>
#include <vector>

#include "config/network_options.hpp"
#include "config/populations_options.hpp"

namespace rankflow::config {

enum class ConditionalMeanSource { automatic, preset, mixture };
enum class SinkhornIterations { converged, geomloss };

/// How two connectivities are compared (docs/comparison.md).
struct CompareOptions {
  std::int64_t seed = 1;
  std::int64_t points = 1000;
  double blur = 0.05;
  SinkhornIterations iterations = SinkhornIterations::converged;
  double tolerance = 1e-3;
  std::int64_t directions = 64;
  ConditionalMeanSource conditional_mean = ConditionalMeanSource::automatic;
  Preset preset = Preset::quadstable;
  std::int64_t conditional_neurons = 20000;

  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed of the choice of neurons, directions and starts", .minimum = 0});
    v.integer(
        "points", points,
        {.doc = "most neurons of each network for the Sinkhorn divergence and sorted weights: larger networks are "
                "represented by so many, chosen at random",
         .minimum = 2,
         .maximum = 20000});
    v.real("blur", blur,
           {.doc = "square root of the entropic penalty of the Sinkhorn divergence, in units of the loadings",
            .above = 0.0});
    v.choice(
        "iterations", iterations,
        {{"converged", SinkhornIterations::converged, "until the plan misplaces no more than `tolerance`"},
         {"geomloss", SinkhornIterations::geomloss, "one per penalty, as GeomLoss: to compare with figures by it"}},
        {.doc = "iterations of the Sinkhorn divergence"});
    v.real("tolerance", tolerance,
           {.doc = "largest mass that the transport plan may misplace", .above = 0.0, .below = 1.0});
    v.integer("directions", directions,
              {.doc = "directions of the sliced transport, which takes all neurons up to a million",
               .minimum = 1,
               .maximum = 100000});
    v.choice(
        "conditional_mean", conditional_mean,
        {{"auto", ConditionalMeanSource::automatic,
          "closed form if the first network's file says what it was drawn from, else mixture"},
         {"preset", ConditionalMeanSource::preset, "closed form of `preset`"},
         {"mixture", ConditionalMeanSource::mixture, "of a Gaussian mixture fitted to the first network's neurons"}},
        {.doc = "E[n | m, b, d] of the first network"});
    v.choice("preset", preset,
             {{"bistable", Preset::bistable},
              {"quadstable", Preset::quadstable},
              {"limit_cycle", Preset::limit_cycle},
              {"ring_attractor", Preset::ring_attractor},
              {"decision", Preset::decision}},
             {.doc = "for conditional_mean = \"preset\""});
    v.integer("conditional_neurons", conditional_neurons,
              {.doc = "most neurons that a mixture is fitted to", .minimum = 20, .maximum = 100000000});
  }
};

/// Everything `rankflow compare` can be told, by --set.
struct CompareNetworksOptions {
  CompareOptions compare;
  GridOptions grid;

  template <class V>
  void describe(V& v) {
    v.table("compare", compare, "distances between the loadings");
    v.table("grid", grid, "latent states at which flow fields are compared");
  }
};

}  // namespace rankflow::config
