#pragma once
#include <cstdint>
#include <vector>

#include "config/data_options.hpp"

namespace rankflow::config {

enum class GeneratedSmoothing { automatic, none, hann15 };
enum class Scaling { own, data, none };
enum class TrialComparison { automatic, each, pooled };
enum class DataKind { automatic, gaussian, poisson };

/// How a generated series is compared with data (docs/evaluation.md).
struct EvaluateOptions {
  std::int64_t seed = 1;
  DataKind kind = DataKind::automatic;
  TrialComparison trials = TrialComparison::automatic;
  std::int64_t discard = 0;
  GeneratedSmoothing smoothing = GeneratedSmoothing::automatic;
  Scaling scaling = Scaling::own;
  std::int64_t samples = 1000;
  double kernel_std = 1.0;
  double spectrum_smoothing = 20.0;
  std::vector<std::int64_t> forecast{1, 5};  ///< horizons in steps, ascending
  std::vector<std::int64_t> held_out = {};   ///< channels by the recording's numbers, ascending

  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed of the Monte Carlo points", .minimum = 0});
    v.choice("kind", kind,
             {{"auto", DataKind::automatic, "what a recording file says, else gaussian"},
              {"gaussian", DataKind::gaussian, "real values"},
              {"poisson", DataKind::poisson, "counts per bin: 0, 1, 2, …"}},
             {.doc = "what the data are"});
    v.choice("trials", trials,
             {{"auto", TrialComparison::automatic, "each when the data are a single trial, else pooled"},
              {"each", TrialComparison::each, "each generated trial with all data: mean and spread over trials"},
              {"pooled", TrialComparison::pooled, "all generated trials together with all data"}},
             {.doc = "what is compared at a time"});
    v.integer("discard", discard, {.doc = "first steps of each generated trial that are left out", .minimum = 0});
    v.choice("smoothing", smoothing,
             {{"auto", GeneratedSmoothing::automatic, "what the fit undid (data.unsmooth), else none"},
              {"none", GeneratedSmoothing::none},
              {"hann15", GeneratedSmoothing::hann15,
               "15-point Hann window, mirrored at the ends: for data that were smoothed so"}},
             {.doc = "smoothing of the generated series over time; gaussian only"});
    v.choice("scaling", scaling,
             {{"own", Scaling::own, "z-score of both, each by its own mean and standard deviation per channel"},
              {"data", Scaling::data, "both by the mean and standard deviation of the data"},
              {"none", Scaling::none}},
             {.doc = "scaling before states are compared; gaussian only"});
    v.integer("samples", samples,
              {.doc = "Monte Carlo points of the divergence between states", .minimum = 2, .maximum = 100000000});
    v.real("kernel_std", kernel_std,
           {.doc = "standard deviation of the density's kernels, in units of the scaled data", .above = 0.0});
    v.real("spectrum_smoothing", spectrum_smoothing,
           {.doc = "standard deviation of the Gaussian over the bins of a spectrum",
            .unit = "bins",
            .minimum = 0.0,
            .maximum = 1e6});
    v.integers("forecast", forecast,
               {.doc = "score a fit's forecasts of the data so many steps ahead, ascending; []: none",
                .minimum = 1,
                .maximum = 65535});
    v.integers("held_out", held_out,
               {.doc = "channels (their numbers in the recording, ascending) that a fit has to tell from the others",
                .minimum = 0});
  }

  void validate(const Checker& check) const {
    require_ascending(check, "forecast", forecast);
    require_ascending(check, "held_out", held_out);
    if (kind == DataKind::poisson && smoothing == GeneratedSmoothing::hann15)
      check.fail("smoothing", "is for real values; counts are compared as they are");
  }
};

/// Everything `rankflow evaluate` can be told, by --set.
struct EvaluateRunOptions {
  EvaluateOptions evaluate;
  DataOptions data;

  template <class V>
  void describe(V& v) {
    v.table("evaluate", evaluate, "what is compared, and how");
    v.table("data", data, "the data, when they are not named on the command line, and which of them");
  }
};

}  // namespace rankflow::config
