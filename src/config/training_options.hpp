#pragma once
#include <cstdint>

#include "config/options.hpp"

namespace rankflow::config {

enum class OptimiserKind { adam, adamw, radam };
enum class Schedule { constant, exponential, cosine };

/// Stochastic gradient steps and their sizes.
struct OptimiserOptions {
  OptimiserKind kind = OptimiserKind::adam;
  double learning_rate = 1e-3;
  double final_learning_rate = 1e-6;
  Schedule schedule = Schedule::constant;
  std::int64_t warmup_steps = 0;
  double clip_norm = 0.0;
  double weight_decay = 0.0;
  double beta1 = 0.9;
  double beta2 = 0.999;

  template <class V>
  void describe(V& v) {
    v.choice("kind", kind,
             {{"adam", OptimiserKind::adam, "Kingma & Ba 2015"},
              {"adamw", OptimiserKind::adamw, "Adam with decoupled weight decay, Loshchilov & Hutter 2019"},
              {"radam", OptimiserKind::radam, "rectified Adam, Liu et al. 2020"}},
             {.doc = "how gradients become steps"});
    v.real("learning_rate", learning_rate, {.doc = "size of the first steps (after the warm-up)", .above = 0.0});
    v.real("final_learning_rate", final_learning_rate,
           {.doc = "size of the last step, for schedules other than \"constant\"", .above = 0.0});
    v.choice("schedule", schedule,
             {{"constant", Schedule::constant, "learning_rate throughout"},
              {"exponential", Schedule::exponential, "equal factors from learning_rate to final_learning_rate"},
              {"cosine", Schedule::cosine, "half a cosine from learning_rate to final_learning_rate"}},
             {.doc = "how the learning rate falls over the training"});
    v.integer("warmup_steps", warmup_steps,
              {.doc = "steps over which the learning rate rises linearly from 0, before the schedule", .minimum = 0});
    v.real("clip_norm", clip_norm,
           {.doc = "gradients of a larger norm are scaled down to this one; 0: never", .minimum = 0.0});
    v.real(
        "weight_decay", weight_decay,
        {.doc = "pull towards 0: of the parameter itself for adamw, added to the gradient otherwise", .minimum = 0.0});
    v.real("beta1", beta1, {.doc = "memory of the mean gradient", .minimum = 0.0, .below = 1.0});
    v.real("beta2", beta2, {.doc = "memory of the mean squared gradient", .minimum = 0.0, .below = 1.0});
  }

  void validate(const Checker& check) const {
    if (schedule != Schedule::constant && final_learning_rate > learning_rate)
      check.fail("final_learning_rate", "must not exceed learning_rate ({}), found {}", learning_rate,
                 final_learning_rate);
    // The rectification of RAdam divides by rho - 4 with rho = 2 / (1 - beta2) - 1.
    if (kind == OptimiserKind::radam && beta2 <= 0.6)
      check.fail("beta2", "must exceed 0.6 for kind = \"radam\", found {}", beta2);
  }
};

}  // namespace rankflow::config
