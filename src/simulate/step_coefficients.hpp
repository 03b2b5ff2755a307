#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "config/simulate_options.hpp"

namespace rankflow::simulate {

/// How a fixed-step method advances tau dx/dt = -leak x + drive + noise by one step:
///   x <- x + gain (drive - leak x) + noise_scale sigma normal.
/// Euler-Maruyama: gain = h/tau, noise_scale = sqrt(2 h/tau). Exponential Euler: exact for a constant drive and for
/// the noise, gain = (1 - exp(-leak h/tau))/leak, noise_scale = sqrt((1 - exp(-2 leak h/tau))/leak). Map: gain = 1 -
/// decay, leak 1, noise_scale 1.
struct StepCoefficients {
  double leak = 1.0;
  double gain = 0.0;
  double noise_scale = 0.0;
};

/// `decay` is the map's, when prescribed. Throws ConfigurationError for a SUNDIALS method.
StepCoefficients step_coefficients(config::Method method, double step, double tau, double leak,
                                   std::optional<double> decay);

}  // namespace rankflow::simulate
