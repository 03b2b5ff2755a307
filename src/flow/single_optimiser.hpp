#pragma once
#include <cstdint>
#include <span>

#include "ad/aligned.hpp"
#include "config/training_options.hpp"
#include "nn/optimiser.hpp"

namespace rankflow::flow {

/// nn::Optimiser in single precision, for networks whose step takes no longer than the optimiser's in double; together
/// with the moving average of the parameters, in one pass over memory.
class SingleOptimiser {
 public:
  /// `average_memory`: of the moving average, per step; 0: none is kept.
  SingleOptimiser(const config::OptimiserOptions& options, double average_memory, std::span<const double> parameters);

  /// Begins a step down a gradient of norm `norm` (finite).
  void begin_step(double norm, double learning_rate);
  /// The step of parameters [begin, end); to be called once for each of them.
  void update(std::span<const float> gradient, std::int64_t begin, std::int64_t end);

  std::int64_t steps() const noexcept { return steps_; }
  std::span<const float> parameters() const noexcept { return parameters_; }
  /// The moving average, or the parameters where none is kept. Its memory grows to the given one over the first steps,
  /// as (1 + steps) / (10 + steps), so that it forgets where it began.
  std::span<const float> average() const noexcept { return average_.empty() ? parameters_ : average_; }

  /// Parameters, means, squares, average, one after the other; the average only if it is kept.
  void save(std::span<double> state) const;
  void restore(std::int64_t steps, std::span<const double> state);
  std::size_t state_size() const noexcept { return 3 * parameters_.size() + average_.size(); }

 private:
  config::OptimiserOptions options_;
  double average_memory_;
  std::int64_t steps_ = 0;
  nn::StepFactors factors_{};
  double average_gain_ = 0.0;  ///< of the step's parameters in their average
  ad::AlignedVector<float> parameters_, means_, squares_, average_;
};

/// Euclidean norm; not finite if a number is not.
double norm(std::span<const float> vector);

}  // namespace rankflow::flow
