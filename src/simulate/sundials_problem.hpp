#pragma once
// Private to the .cpp files of the SUNDIALS engine: no public header includes it.
#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/simulate_options.hpp"
#include "simulate/sundials_space.hpp"

namespace rankflow::simulate {

/// What SUNDIALS calls back, with a pointer to this as its user data. SUNDIALS is C, so an exception stops at the
/// callback, which reports failure; rethrow() lets it go on once SUNDIALS returned.
class SundialsProblem {
 public:
  /// `space` must outlive the problem. `rank`: number of latents.
  SundialsProblem(SundialsSpace& space, const std::optional<config::StopOptions>& stop, int rank);

  OdeSystem& system() noexcept { return space_.system(); }
  /// Right-hand sides evaluated since construction.
  std::int64_t evaluations() const noexcept { return evaluations_; }

  /// Functions of the latents whose zeros end a trial, and the direction each must cross in (1 rising, -1 falling).
  int event_count() const noexcept { return static_cast<int>(directions_.size()); }
  int* event_directions() noexcept { return directions_.data(); }

  /// Throws the exception that a callback stopped, else NumericalError for SUNDIALS's return value `flag`, naming
  /// reason, trial, time `t` and last step size (s). `method` as in the configuration.
  [[noreturn]] void fail(int flag, config::Method method, double t, double last_step);

  static int rhs(realtype t, N_Vector y, N_Vector ydot, void* problem) noexcept;
  static int events(realtype t, N_Vector y, realtype* values, void* problem) noexcept;
  static int jacobian_times(N_Vector v, N_Vector jv, realtype t, N_Vector y, N_Vector fy, void* problem,
                            N_Vector scratch) noexcept;
  static int precondition(realtype t, N_Vector y, N_Vector fy, N_Vector r, N_Vector z, realtype gamma, realtype delta,
                          int side, void* problem) noexcept;
  static void keep_message(int code, const char* module, const char* function, char* text, void* problem) noexcept;
  /// (I - gamma J) x = b with the same exception rule; 0, or positive when the matrix is singular, or negative.
  int newton_solve(double gamma, N_Vector y, N_Vector b, N_Vector x) noexcept;

 private:
  template <class Action>
  int guarded(Action&& action) noexcept;

  SundialsSpace& space_;
  std::optional<config::StopOptions> stop_;
  std::vector<int> directions_;
  std::vector<double> latents_;
  std::int64_t evaluations_ = 0;
  std::exception_ptr error_;
  std::string message_;  ///< SUNDIALS's last one
};

/// Throws NumericalError: the integration of `trial` failed at t for `reason`; `advice` says what to do.
[[noreturn]] void throw_integration_failure(std::string_view reason, std::string_view advice, std::int64_t trial,
                                            double t, double last_step);

}  // namespace rankflow::simulate
