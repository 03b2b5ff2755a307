#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "config/halving_options.hpp"
#include "config/options.hpp"
#include "config/submit_options.hpp"
#include "config/value.hpp"

namespace rankflow::config {

enum class SweepDriver { fit_vsmc, fit_flow, simulate, generate_recording };
enum class SweepDirection { maximise, minimise };

/// [sweep]: many runs of one driver. What varies has keys of the driver's configuration, which only src/sweep knows.
struct SweepTable {
  std::string base;
  SweepDriver driver = SweepDriver::fit_vsmc;
  std::string directory;
  std::string metric;
  SweepDirection direction = SweepDirection::maximise;
  std::optional<Value> seeds;
  std::optional<Value> ranks;
  double timeout = 0;
  std::int64_t attempts = 2;
  double stale_after = 60;
  std::optional<Value> set, grid, zip, random, cases, when, exclude;
  std::optional<HalvingOptions> halving;
  SubmitOptions submit;

  template <class V>
  void describe(V& v) {
    v.path("base", base, {.doc = "configuration of the driver that all cases start from", .required = true});
    v.choice("driver", driver,
             {{"fit vsmc", SweepDriver::fit_vsmc, "base is a configuration of `fit vsmc`"},
              {"fit flow", SweepDriver::fit_flow, "base is a configuration of `fit flow`"},
              {"simulate", SweepDriver::simulate, "base is a configuration of `simulate`"},
              {"generate recording", SweepDriver::generate_recording, "base is one of `generate recording`"}},
             {.doc = "what is run"});
    v.path("directory", directory,
           {.doc = "where the sweep keeps everything; default: the sweep file's name without its ending, beside it"});
    v.text("metric", metric, {.doc = "what the cases are ranked by (docs/sweeps.md lists them); none: no ranking"});
    v.choice("direction", direction,
             {{"maximise", SweepDirection::maximise, "larger is better"},
              {"minimise", SweepDirection::minimise, "smaller is better"}},
             {.doc = "which values of the metric are better"});
    v.values("seeds", seeds,
             {.doc = "replicates: a list of values of run.seed, or how many, counted from the base's seed"});
    v.values("ranks", ranks,
             {.doc = "ranks that run one case: a number, or \"measured\"; default 1; also a key to vary"});
    v.real("timeout", timeout, {.doc = "a case's attempt may take so long; 0: any", .unit = "s", .minimum = 0.0});
    v.integer("attempts", attempts,
              {.doc = "how often a case is begun whose process dies", .minimum = 1, .maximum = 100});
    v.real("stale_after", stale_after,
           {.doc = "without a sign of life for so long a worker is taken for dead", .unit = "s", .above = 0.0});
    v.values("set", set, {.doc = "table: keys of the base that all cases have another value of"});
    v.values("grid", grid, {.doc = "table: keys with lists of values; every combination is a case"});
    v.values("zip", zip, {.doc = "table: keys with lists of equal lengths; first values together, second together, …"});
    v.values(
        "random", random,
        {.doc = "table: `cases`, `seed`, and keys with { uniform = [a, b] }, { log_uniform = [a, b] }, { integer = "
                "[a, b] } or { choice = […] }"});
    v.values("cases", cases, {.doc = "tables: further cases, each with its keys and values"});
    v.values("when", when,
             {.doc = "tables: where the conditions of `if` hold, keys take the values of `set` or vary over `grid`"});
    v.values("exclude", exclude, {.doc = "tables: cases where all conditions of one table hold are left out"});
    v.optional_table("halving", halving,
                     "early stopping across cases by asynchronous successive halving; without this table none");
    v.table("submit", submit, "how `sweep submit` spreads the cases over jobs of SLURM (docs/slurm.md)");
  }
};

/// Everything a sweep file says.
struct SweepOptions {
  SweepTable sweep;

  template <class V>
  void describe(V& v) {
    v.table("sweep", sweep, "many runs of one driver (docs/sweeps.md)");
  }
};

}  // namespace rankflow::config
