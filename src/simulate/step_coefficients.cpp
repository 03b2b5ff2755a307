#include "simulate/step_coefficients.hpp"

#include <cmath>

#include "core/error.hpp"

namespace rankflow::simulate {

StepCoefficients step_coefficients(config::Method method, double step, double tau, double leak,
                                   std::optional<double> decay) {
  const double ratio = step / tau;
  switch (method) {
    case config::Method::map:
      return {.leak = 1.0, .gain = 1.0 - decay.value_or(1.0 - leak * ratio), .noise_scale = 1.0};
    case config::Method::euler:
      return {.leak = leak, .gain = ratio, .noise_scale = std::sqrt(2 * ratio)};
    case config::Method::exponential_euler:
      if (leak == 0.0) return {.leak = 0.0, .gain = ratio, .noise_scale = std::sqrt(2 * ratio)};
      return {.leak = leak,
              .gain = -std::expm1(-leak * ratio) / leak,
              .noise_scale = std::sqrt(-std::expm1(-2 * leak * ratio) / leak)};
    default:
      throw ConfigurationError("integration.method: runge_kutta, adams and bdf have no fixed-step update");
  }
}

std::vector<std::int64_t> row_steps(const std::vector<double>& row_times, double step) {
  std::vector<std::int64_t> steps;
  steps.reserve(row_times.size());
  for (const double time : row_times) {
    const double ratio = time / step;
    const double whole = std::round(ratio);
    if (std::abs(ratio - whole) > 1e-6)
      throw ConfigurationError(
          "time.save_every / time.save_at: {} s is not a multiple of time.step = {} s; fixed-step methods save at "
          "steps only: choose multiples, or an adaptive method, which interpolates",
          time, step);
    steps.push_back(static_cast<std::int64_t>(whole));
  }
  return steps;
}

}  // namespace rankflow::simulate
