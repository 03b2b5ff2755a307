#pragma once
#include <algorithm>
#include <cmath>

namespace rankflow::analysis {

/// Chooses the factor of over-relaxed Sinkhorn iterations from how fast they converge. Near the solution the iteration
/// is a linear one with matrices like those of successive over-relaxation (Lehmann, von Renesse, Sambale & Uschmajew
/// 2022, "A note on overrelaxation in the Sinkhorn algorithm"): with η the plain rate, a factor w converges at the
/// rate λ given by (λ + w − 1)² = λ w² η, and best at w = 2 / (1 + √(1 − η)).
class Relaxation {
 public:
  double factor() const noexcept { return factor_; }

  /// Takes the residual of one more iteration.
  void observe(double residual) {
    if (++taken_ == settling) first_ = residual;
    if (taken_ < settling + measured) return;
    adapt(std::pow(residual / first_, 1.0 / measured), residual);
    taken_ = 0;
  }

 private:
  /// A new factor changes what a residual is; it says something when the change has died out.
  static constexpr int settling = 10;
  static constexpr int measured = 15;
  /// Far from the solution steps beyond the plain one may diverge.
  static constexpr double near = 0.3;
  static constexpr double slowest = 1 - 1e-6;

  void adapt(double rate, double residual) {
    if (!(rate < 1)) {
      factor_ = 1 + 0.5 * (factor_ - 1);
    } else if (residual < near && rate > factor_ - 1) {
      const double plain = (rate + factor_ - 1) * (rate + factor_ - 1) / (rate * factor_ * factor_);
      factor_ = std::max(factor_, 2 / (1 + std::sqrt(1 - std::min(plain, slowest))));
    }
  }

  double factor_ = 1;
  double first_ = 0;
  int taken_ = 0;
};

}  // namespace rankflow::analysis
