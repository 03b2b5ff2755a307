#pragma once
#include <cstdint>
#include <vector>

#include "config/data_options.hpp"
#include "config/simulate_options.hpp"
#include "config/smc_options.hpp"

namespace rankflow::config {

enum class Smoothing { none, genealogy, backward };  ///< what later data tell about earlier states
enum class FitParameters { best, last };             ///< judged best, or after the last epoch

/// What a filter does beyond filtering, and with which numbers.
struct FilterRunOptions {
  std::int64_t seed = 1;
  Precision precision = Precision::double_;        ///< of the particles
  FitParameters parameters = FitParameters::best;  ///< of the fit
  std::int64_t batch_trials = 16;                  ///< trials filtered at a time; random numbers depend on it
  std::vector<std::int64_t> forecast;              ///< horizons in steps, ascending; 0: the present itself
  std::vector<std::int64_t> held_out;              ///< channels by the recording's numbers, ascending
  Smoothing smoothing = Smoothing::none;
  std::int64_t trajectories = 100;  ///< of each trial, for backward smoothing
  double history_limit = 4.0;       ///< GiB on each rank

  template <class V>
  void describe(V& v) {
    v.integer("seed", seed, {.doc = "seed of every random stream", .minimum = 0});
    v.choice("precision", precision,
             {{"double", Precision::double_, "64-bit"}, {"single", Precision::single, "32-bit"}},
             {.doc = "arithmetic of the particles"});
    v.choice("parameters", parameters,
             {{"best", FitParameters::best, "those that were judged best"},
              {"last", FitParameters::last, "those after the last epoch"}},
             {.doc = "which parameters of the fit"});
    v.integer("batch_trials", batch_trials,
              {.doc = "trials filtered at a time; part of the result, as random numbers are told by it",
               .minimum = 1,
               .maximum = 10000000});
    v.integers("forecast", forecast,
               {.doc = "forecast the observations so many steps ahead, ascending; 0: given the present ones too",
                .minimum = 0,
                .maximum = 65535});
    v.integers("held_out", held_out,
               {.doc = "channels (their numbers in the recording, ascending) that are hidden from the filter, to be "
                       "told from the others by forecast = [0]",
                .minimum = 0});
    v.choice("smoothing", smoothing,
             {{"none", Smoothing::none, "what the past and present say"},
              {"genealogy", Smoothing::genealogy, "also what all data say, by the particles' descendants"},
              {"backward", Smoothing::backward, "also trajectories given all data, by backward simulation"}},
             {.doc = "what later data say about earlier states"});
    v.integer("trajectories", trajectories,
              {.doc = "trajectories of each trial for smoothing = \"backward\"", .minimum = 1, .maximum = 1000000});
    v.real("history_limit", history_limit,
           {.doc = "memory that smoothing may take on each rank for the particles of all steps",
            .unit = "GiB",
            .above = 0.0});
  }

  void validate(const Checker& check) const {
    require_ascending(check, "forecast", forecast);
    require_ascending(check, "held_out", held_out);
  }
};

/// Everything `rankflow filter` reads; what is not said is as in the fit.
struct FilterOptions {
  FilterRunOptions filter;
  DataOptions data;  ///< those of the fit unless given
  SmcOptions smc;    ///< those of the fit unless given

  template <class V>
  void describe(V& v) {
    v.table("filter", filter, "the filter's run");
    v.table("data", data, "what is filtered; default: what was fitted");
    v.table("smc", smc, "the particle filter; default: as in the fit");
  }
};

}  // namespace rankflow::config
