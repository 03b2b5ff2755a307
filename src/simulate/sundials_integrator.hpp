#pragma once
// Private to the .cpp files of the SUNDIALS engine: no public header includes it.
#include <array>
#include <cstdint>
#include <memory>

#include "config/simulate_options.hpp"
#include "simulate/sundials_problem.hpp"

namespace rankflow::simulate {

/// What an integrator did since its last restart.
struct IntegratorWork {
  std::int64_t steps = 0;
  std::int64_t evaluations = 0;
  std::int64_t nonlinear_iterations = 0;
  std::int64_t linear_iterations = 0;
  std::int64_t error_failures = 0;
  std::int64_t convergence_failures = 0;
};

/// CVODE or ARKODE behind one face.
class SundialsIntegrator {
 public:
  struct Advance {
    double time = 0.0;
    bool event = false;  ///< a threshold was crossed at `time`
  };

  virtual ~SundialsIntegrator() = default;
  /// Starts afresh from y at t: nothing of what went before has any influence.
  virtual void restart(double t, N_Vector y, double first_step) = 0;
  /// One internal step that does not pass `limit`; returns exactly `limit` when it gets there. y: state at the
  /// returned time. Throws NumericalError. Collective.
  virtual Advance advance(double limit, N_Vector y) = 0;
  /// State at a time within the last step. Collective.
  virtual void interpolate(double t, N_Vector y) = 0;
  virtual IntegratorWork work() const = 0;
  virtual double last_step() const = 0;
};

/// Adams (functional iteration) or BDF (Newton) of variable order. `template_vector` gives the layout of vectors.
/// `problem` must outlive the integrator.
std::unique_ptr<SundialsIntegrator> make_cvode_integrator(const config::IntegrationOptions& options,
                                                          SundialsProblem& problem, N_Vector template_vector);

/// Explicit Runge-Kutta of options.order, adaptive or with steps of `fixed_step` (s). Order 7 takes the method of
/// order 8: SUNDIALS has none of order 7.
std::unique_ptr<SundialsIntegrator> make_erk_integrator(const config::IntegrationOptions& options, double fixed_step,
                                                        SundialsProblem& problem, N_Vector template_vector);

/// A step may fail the error test this often: the first one is the user's, and may be far too long.
inline constexpr int allowed_error_failures = 30;

}  // namespace rankflow::simulate
