#include "simulate/ode_system.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace rankflow::simulate {

void OdeSystem::enter(std::int64_t trial, double first, double last) {
  trial_ = trial;
  first_ = first;
  last_ = last;
}

const double* OdeSystem::input(double t) {
  if (!u_.empty()) inputs_.at(trial_, std::clamp(t, first_, last_), u_);
  return u_.data();
}

void OdeSystem::require_finite(std::span<const double> values, const char* quantity, double t) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      throw NumericalError(
          "{}_{} is {} in trial {} at t = {:.9g} s; the activity grows without bound: check weights, inputs and "
          "initial state, or use a bounded activation",
          quantity, i, values[i], trial_, t);
  }
}

}  // namespace rankflow::simulate
