#pragma once
#include <cstdint>
#include <vector>

#include "config/options.hpp"

namespace rankflow::config {

enum class FixedPointMethod { automatic, exact, newton };  ///< exact: piecewise-linear activations only

struct FixedPointRunOptions {
  std::int64_t seed = 1;

  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed of random starts and directions", .minimum = 0});
  }
};

/// How fixed points and cycles of the latent dynamics are searched for.
struct FixedPointsOptions {
  FixedPointMethod method = FixedPointMethod::automatic;
  std::vector<double> inputs;        ///< u [input channel]; empty: 0
  std::vector<double> decay;         ///< [1] or [R], per step; empty: the network's, or continuous time
  std::vector<double> offset;        ///< [R], added to the right-hand side; empty: 0
  double max_crossings = 1e12;       ///< of lines with hyperplanes, about N^R
  std::int64_t starts = 1024;        ///< of Newton searches
  double start_scale = 2.0;          ///< in units of the fixed points' spread
  std::int64_t basin_starts = 1000;  ///< 0: no shares of basins
  std::int64_t basin_steps = 2000;   ///< most steps of a start
  std::int64_t cycles = 1;           ///< largest order; 1: fixed points only
  double cycle_crossings = 1e10;     ///< for one order; above: random starts

  template <class V>
  void describe(V& v) {
    v.choice("method", method,
             {{"auto", FixedPointMethod::automatic, "exact for relu, clipped_relu and identity, else newton"},
              {"exact", FixedPointMethod::exact, "all fixed points of a piecewise-linear network"},
              {"newton", FixedPointMethod::newton, "Newton's method with deflation from random starts; may miss some"}},
             {.doc = "how fixed points are found"});
    v.reals("inputs", inputs, {.doc = "constant input u, one value per input channel; left out: 0"});
    v.reals(
        "decay", decay,
        {.doc = "per-step decay of the discrete-time map, one value or one per latent; left out: the network's, and "
                "continuous time when it has none",
         .minimum = 0.0,
         .maximum = 1.0});
    v.reals("offset", offset,
            {.doc = "constant added to the right-hand side, one value per latent: z = decay z + … + offset, or "
                    "τ dz/dt = … + offset"});
    v.real("max_crossings", max_crossings,
           {.doc = "most crossings of lines with hyperplanes (hyperplanes to the power of the rank) that the exact "
                   "search may follow; 1e12 are hours on one core",
            .minimum = 1.0});
    v.integer("starts", starts,
              {.doc = "random starts of newton, and of the search for cycles where it is not exact",
               .minimum = 1,
               .maximum = 100000000});
    v.real("start_scale", start_scale,
           {.doc = "spread of the random starts, in units of the fixed points' own spread or of the strongest drive",
            .above = 0.0});
    v.integer("basin_starts", basin_starts,
              {.doc = "random starts that are followed to tell the share of each stable point; 0: none",
               .minimum = 0,
               .maximum = 100000000});
    v.integer("basin_steps", basin_steps, {.doc = "most steps that a start is followed", .minimum = 1});
    v.integer("cycles", cycles,
              {.doc = "largest order of the cycles of a discrete-time map to be searched for; 1: none",
               .minimum = 1,
               .maximum = 64});
    v.real(
        "cycle_crossings", cycle_crossings,
        {.doc = "most crossings for one order of cycles; above it, cycles are searched from random starts and may be "
                "missed",
         .minimum = 0.0});
  }
};

/// Everything `rankflow analyze fixed-points` can be told, by --set.
struct AnalyzeFixedPointsOptions {
  FixedPointRunOptions run;
  FixedPointsOptions fixed_points;

  template <class V>
  void describe(V& v) {
    v.table("run", run, "the run as a whole");
    v.table("fixed_points", fixed_points, "what is searched for, and how");
  }
};

}  // namespace rankflow::config
