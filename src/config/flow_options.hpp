#pragma once
#include <cstdint>

#include "config/options.hpp"
#include "config/training_options.hpp"

namespace rankflow::config {

/// How a point of noise x0 becomes a sample x1 as t goes from 0 to 1 (Lipman et al. 2023): x_t = a(t) x1 + s(t) x0.
enum class PathKind { conditional_ot, linear, variance_preserving };
enum class FlowIntegrator { midpoint, rk4, adaptive };

/// The network that stands for a velocity field.
struct VelocityOptions {
  std::int64_t hidden_layers = 4;
  std::int64_t hidden_width = 128;
  std::int64_t time_frequencies = 0;  ///< pairs of cos and sin beside t

  template <class V>
  void describe(V& v) {
    v.integer("hidden_layers", hidden_layers, {.doc = "layers of hidden units", .minimum = 1, .maximum = 32});
    v.integer("hidden_width", hidden_width, {.doc = "units of each", .minimum = 1, .maximum = 8192});
    v.integer("time_frequencies", time_frequencies,
              {.doc = "time enters as t, and as cos and sin of pi k t for k up to this", .minimum = 0, .maximum = 64});
  }
};

/// How a flow is trained.
struct FlowTrainingOptions {
  std::int64_t epochs = 1000;
  std::int64_t batch = 64;
  PathKind path = PathKind::conditional_ot;
  double path_noise = 0.0;
  double average_memory = 0.0;
  OptimiserOptions optimiser{.kind = OptimiserKind::adamw, .weight_decay = 1e-5};

  template <class V>
  void describe(V& v) {
    v.integer("epochs", epochs, {.doc = "passes over the samples", .minimum = 0, .maximum = 100000000});
    v.integer("batch", batch, {.doc = "samples of a gradient step", .minimum = 1, .maximum = 100000000});
    v.choice("path", path,
             {{"conditional_ot", PathKind::conditional_ot, "x_t = t x1 + (1 - (1 - path_noise) t) x0"},
              {"linear", PathKind::linear, "x_t = t x1 + (1 - t) x0"},
              {"variance_preserving", PathKind::variance_preserving, "x_t = sin(pi t / 2) x1 + cos(pi t / 2) x0"}},
             {.doc = "from noise x0 to a sample x1"});
    v.real(
        "path_noise", path_noise,
        {.doc = "standard deviation that is left at t = 1 on the conditional_ot path", .minimum = 0.0, .below = 1.0});
    v.real("average_memory", average_memory,
           {.doc = "memory per step of the moving average of the weights, which is what is kept; 0: the last weights",
            .minimum = 0.0,
            .below = 1.0});
    v.table("optimiser", optimiser, "gradient steps");
  }
};

/// How samples are drawn from a flow.
struct FlowSamplerOptions {
  FlowIntegrator method = FlowIntegrator::midpoint;
  std::int64_t steps = 20;
  double tolerance = 1e-6;

  template <class V>
  void describe(V& v) {
    v.choice("method", method,
             {{"midpoint", FlowIntegrator::midpoint, "explicit midpoint rule, order 2"},
              {"rk4", FlowIntegrator::rk4, "classical Runge-Kutta, order 4"},
              {"adaptive", FlowIntegrator::adaptive, "ARKODE, steps chosen by the tolerance"}},
             {.doc = "how the velocity is integrated from t = 0 to 1"});
    v.integer("steps", steps, {.doc = "of midpoint and rk4", .minimum = 1, .maximum = 1000000});
    v.real("tolerance", tolerance, {.doc = "relative and absolute, of adaptive", .above = 0.0, .maximum = 0.1});
  }
};

}  // namespace rankflow::config
