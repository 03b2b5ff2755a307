#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config/training_options.hpp"
#include "nn/parameters.hpp"

namespace rankflow::nn {

/// Learning rate of step `step` (from 0) of `total`: the warm-up rises linearly, over the steps that remain the
/// schedule falls from learning_rate at the first to final_learning_rate at the last.
double scheduled_learning_rate(const config::OptimiserOptions& options, std::int64_t step, std::int64_t total);

/// Euclidean norm of a vector's elements in `ranges`; not finite if one of them is not.
double norm_over(std::span<const double> vector, std::span<const ParameterRange> ranges);

/// Numbers of one step of Adam, AdamW or RAdam, for mean and square that already hold the step's gradient: parameter =
/// kept * parameter - mean_factor * mean, the last divided by root_factor * sqrt(square) + epsilon if adaptive.
struct StepFactors {
  double clip;           ///< on the gradient
  double coupled_decay;  ///< weight decay that is added to the gradient
  double kept;
  double mean_factor;
  bool adaptive;
  double root_factor;
  double epsilon;
};
/// Those of step number `step` (from 1) down a gradient of norm `norm`.
StepFactors step_factors(const config::OptimiserOptions& options, std::int64_t step, double norm, double learning_rate);

/// Minimises by Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019) or RAdam (Liu et al. 2020), in the form
/// PyTorch gives them, on the trainable ranges of the flat parameter vector. All in double precision; equal gradients
/// give equal bits.
class Optimiser {
 public:
  /// Vectors have `total` elements; those outside `trainable` are never changed and their gradients not looked at.
  Optimiser(const config::OptimiserOptions& options, std::int64_t total, std::vector<ParameterRange> trainable);

  /// One step down `gradient`, whose norm is clipped to options.clip_norm first. Returns the norm before; a gradient
  /// that is not finite changes nothing. Throws InternalError for vectors of another length.
  double step(std::span<double> parameters, std::span<const double> gradient, double learning_rate);

  /// Steps made.
  std::int64_t steps() const noexcept { return steps_; }
  /// Means of gradients, then of their squares: all there is to store beside steps(); 2 * total numbers.
  std::span<const double> state() const noexcept { return state_; }
  /// Goes on from what was stored. Throws InternalError for another length.
  void restore(std::int64_t steps, std::span<const double> state);

 private:
  void update(std::span<double> parameters, std::span<const double> gradient, const ParameterRange& range,
              const StepFactors& factors);

  config::OptimiserOptions options_;
  std::int64_t total_;
  std::vector<ParameterRange> trainable_;
  std::int64_t steps_ = 0;
  std::vector<double> state_;
};

}  // namespace rankflow::nn
