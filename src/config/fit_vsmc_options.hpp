#pragma once
#include <cstdint>

#include "config/data_options.hpp"
#include "config/latent_model_options.hpp"
#include "config/simulate_options.hpp"
#include "config/smc_options.hpp"
#include "config/training_options.hpp"

namespace rankflow::config {

enum class FitMethod { stochastic, quasi_newton };  ///< Adam and its kin on minibatches, or TAO on all data

/// How a fit goes about its data.
struct FitTrainingOptions {
  FitMethod method = FitMethod::stochastic;
  std::int64_t epochs = 100;
  std::int64_t pause_after = 0;       ///< epochs; 0: never
  std::int64_t steps_per_epoch = 0;   ///< 0: one pass over the training data (quasi_newton: 20)
  std::int64_t batch_trials = 10;     ///< windows in a minibatch
  std::int64_t window = 0;            ///< time steps; 0: whole trials
  double validation_fraction = 0.1;   ///< of the trials, or of the end of a single one
  std::int64_t validation_every = 1;  ///< epochs
  std::int64_t patience = 0;          ///< judgements without a better one; 0: endless
  // The first steps of RAdam are plain gradient steps: without a bound they leave the region where the filter works.
  OptimiserOptions optimiser{.clip_norm = 10.0};

  template <class V>
  void describe(V& v) {
    v.choice("method", method,
             {{"stochastic", FitMethod::stochastic, "gradient steps on minibatches"},
              {"quasi_newton", FitMethod::quasi_newton,
               "all training data at every step, with random numbers that stay the same: for few data, to polish"}},
             {.doc = "how the parameters are improved"});
    v.integer("epochs", epochs, {.doc = "epochs of training", .minimum = 0, .maximum = 100000000});
    v.integer("pause_after", pause_after,
              {.doc = "stop with a checkpoint (exit code 75) after so many epochs; --resume goes on as if it had not; "
                      "0: never",
               .minimum = 0});
    v.integer(
        "steps_per_epoch", steps_per_epoch,
        {.doc = "gradient steps of an epoch; 0: as many as one pass over the training data has (quasi_newton: 20)",
         .minimum = 0,
         .maximum = 1000000000});
    v.integer("batch_trials", batch_trials, {.doc = "windows in a minibatch", .minimum = 1, .maximum = 10000000});
    v.integer("window", window,
              {.doc = "time steps of a window, which begins anywhere in its trial; 0: whole trials", .minimum = 0});
    v.real("validation_fraction", validation_fraction,
           {.doc = "share of the trials that is held out to judge the fit; of a single trial its end; 0: none, and "
                   "the last epoch's model is kept",
            .minimum = 0.0,
            .below = 1.0});
    v.integer("validation_every", validation_every, {.doc = "epochs between two judgements", .minimum = 1});
    v.integer("patience", patience,
              {.doc = "stop after so many judgements without a better one; 0: never", .minimum = 0});
    v.table("optimiser", optimiser, "stochastic gradient steps");
  }
};

/// Everything `rankflow fit vsmc` reads.
struct FitVsmcOptions {
  RunOptions run{.precision = Precision::single};
  DataOptions data;
  LatentModelOptions model;
  SmcOptions smc;
  EncoderOptions encoder;  ///< of use with smc.proposal = encoder only
  FitTrainingOptions training;

  template <class V>
  void describe(V& v) {
    v.table("run", run, "the run as a whole");
    v.table("data", data, "what is fitted");
    v.group(model);
    v.table("smc", smc, "the particle filter");
    v.table("encoder", encoder, "for smc.proposal = \"encoder\"");
    v.table("training", training, "how the model is fitted");
  }

  void validate(const Checker& check) const {
    if (smc.proposal == Proposal::encoder && training.window > 0 && encoder.width() > training.window)
      check.fail("encoder.kernels",
                 "see {} time steps, but training.window is {}: choose narrower kernels or longer windows",
                 encoder.width(), training.window);
  }
};

}  // namespace rankflow::config
