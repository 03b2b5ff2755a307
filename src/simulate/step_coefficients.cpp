#include "simulate/step_coefficients.hpp"

#include <cmath>

#include "core/error.hpp"

namespace rankflow::simulate {

StepCoefficients step_coefficients(config::Method method, double step, double tau, double leak,
                                   std::optional<double> decay) {
  const double ratio = step / tau;
  switch (method) {
    case config::Method::map:
      if (decay) return {.leak = 1.0, .gain = 1.0 - *decay, .noise_scale = 1.0};
      return {.leak = leak, .gain = ratio, .noise_scale = 1.0};
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

}  // namespace rankflow::simulate
