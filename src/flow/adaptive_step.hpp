#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace rankflow::flow {

/// Adaptive Runge-Kutta steps (Dormand and Prince, order 5) of ARKODE, in double precision.
class AdaptiveStep {
 public:
  /// derivative(t, y, dy) of `size` numbers. `tolerance` is relative and absolute.
  using Derivative = std::function<void(double, std::span<const double>, std::span<double>)>;
  AdaptiveStep(std::int64_t size, double tolerance, Derivative derivative);
  AdaptiveStep(const AdaptiveStep&) = delete;
  AdaptiveStep& operator=(const AdaptiveStep&) = delete;
  ~AdaptiveStep();

  /// Takes y from t = `from` to `to`. Throws NumericalError with ARKODE's reason when it gives up.
  void run(std::span<double> y, double from, double to);
  /// Evaluations of the derivative so far.
  std::int64_t evaluations() const noexcept;

 private:
  struct Solver;
  std::unique_ptr<Solver> solver_;
};

}  // namespace rankflow::flow
