#include "simulate/sundials_problem.hpp"

#include <cvode/cvode.h>

#include "core/error.hpp"

namespace rankflow::simulate {
namespace {

SundialsProblem& problem_of(void* data) {
  return *static_cast<SundialsProblem*>(data);
}

std::string_view advice_for(config::Method method) {
  return method == config::Method::bdf
             ? "raise integration.relative_tolerance and absolute_tolerance, or shorten time.step, the first step"
             : "raise integration.relative_tolerance and absolute_tolerance, or use method = \"bdf\" if the problem is "
               "stiff (time constants far apart)";
}

/// In words what CVODE and ARKODE mean by `flag`; both number their failures alike up to -11.
std::string reason_of(int flag, const std::string& message) {
  switch (flag) {
    case CV_TOO_MUCH_ACC:
      return "the tolerances ask for more than double precision can give";
    case CV_ERR_FAILURE:
      return "the estimated error stayed above the tolerances although the step was shortened again and again";
    case CV_CONV_FAILURE:
      return "the implicit equation of a step did not converge although the step was shortened again and again";
    case CV_LSOLVE_FAIL:
    case CV_LSETUP_FAIL:
      return "the linear solver failed";
    default:
      return message.empty() ? fmt::format("SUNDIALS returned {}", flag) : "SUNDIALS says: " + message;
  }
}

}  // namespace

void throw_integration_failure(std::string_view reason, std::string_view advice, std::int64_t trial, double t,
                               double last_step) {
  throw NumericalError("integration failed in trial {} at t = {:.9g} s (last step {:.3g} s): {}; {}", trial, t,
                       last_step, reason, advice);
}

SundialsProblem::SundialsProblem(SundialsSpace& space, const std::optional<config::StopOptions>& stop, int rank)
    : space_(space), stop_(stop), latents_(static_cast<std::size_t>(rank)) {
  if (stop_ && stop_->above) directions_.push_back(1);
  if (stop_ && stop_->below) directions_.push_back(-1);
}

template <class Action>
int SundialsProblem::guarded(Action&& action) noexcept {
  try {
    return action();
  } catch (...) {
    error_ = std::current_exception();
    return -1;
  }
}

int SundialsProblem::rhs(realtype t, N_Vector y, N_Vector ydot, void* problem) noexcept {
  auto& self = problem_of(problem);
  return self.guarded([&] {
    ++self.evaluations_;
    self.system().rhs(t, N_VGetArrayPointer(y), N_VGetArrayPointer(ydot));
    return 0;
  });
}

int SundialsProblem::events(realtype, N_Vector y, realtype* values, void* problem) noexcept {
  auto& self = problem_of(problem);
  return self.guarded([&] {
    self.space_.latents(y, self.latents_);
    const double z = self.latents_[static_cast<std::size_t>(self.stop_->latent)];
    int k = 0;
    if (self.stop_->above) values[k++] = z - *self.stop_->above;
    if (self.stop_->below) values[k++] = z - *self.stop_->below;
    return 0;
  });
}

int SundialsProblem::jacobian_times(N_Vector v, N_Vector jv, realtype, N_Vector y, N_Vector, void* problem,
                                    N_Vector) noexcept {
  auto& self = problem_of(problem);
  return self.guarded([&] {
    self.system().jacobian_times(N_VGetArrayPointer(y), N_VGetArrayPointer(v), N_VGetArrayPointer(jv));
    return 0;
  });
}

int SundialsProblem::precondition(realtype, N_Vector y, N_Vector, N_Vector r, N_Vector z, realtype gamma, realtype, int,
                                  void* problem) noexcept {
  return problem_of(problem).newton_solve(gamma, y, r, z);
}

int SundialsProblem::newton_solve(double gamma, N_Vector y, N_Vector b, N_Vector x) noexcept {
  return guarded([&] {
    return system().newton_solve(gamma, N_VGetArrayPointer(y), N_VGetArrayPointer(b), N_VGetArrayPointer(x)) ? 0 : 1;
  });
}

void SundialsProblem::keep_message(int, const char*, const char*, char* text, void* problem) noexcept {
  auto& self = problem_of(problem);
  self.guarded([&] {
    self.message_ = text;
    return 0;
  });
}

void SundialsProblem::fail(int flag, config::Method method, double t, double last_step) {
  if (error_ != nullptr) std::rethrow_exception(error_);
  throw_integration_failure(reason_of(flag, message_), advice_for(method), system().trial(), t, last_step);
}

}  // namespace rankflow::simulate
