#include <limits>

#include <cvode/cvode.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "simulate/sundials_integrator.hpp"
#include "simulate/sundials_linear_solver.hpp"

namespace rankflow::simulate {
namespace {

struct FreeCvode {
  void operator()(void* memory) const noexcept { CVodeFree(&memory); }
};

class CvodeIntegrator final : public SundialsIntegrator {
 public:
  CvodeIntegrator(const config::IntegrationOptions& options, SundialsProblem& problem, N_Vector y)
      : method_(options.method),
        problem_(problem),
        memory_(CVodeCreate(options.method == config::Method::bdf ? CV_BDF : CV_ADAMS, y->sunctx)) {
    if (memory_ == nullptr) throw std::bad_alloc();
    void* cvode = memory_.get();
    require_sundials(CVodeSetErrHandlerFn(cvode, SundialsProblem::keep_message, &problem), "CVodeSetErrHandlerFn");
    require_sundials(CVodeSetUserData(cvode, &problem), "CVodeSetUserData");
    require_sundials(CVodeInit(cvode, SundialsProblem::rhs, 0.0, y), "CVodeInit");
    require_sundials(CVodeSStolerances(cvode, options.relative_tolerance, options.absolute_tolerance),
                     "CVodeSStolerances");
    require_sundials(CVodeSetMaxErrTestFails(cvode, allowed_error_failures), "CVodeSetMaxErrTestFails");
    if (options.method == config::Method::bdf) {
      linear_solver_ = attach_linear_solver(cvode, problem, y);
    } else {
      nonlinear_solver_.reset(SUNNonlinSol_FixedPoint(y, 0, y->sunctx));
      if (nonlinear_solver_ == nullptr) throw std::bad_alloc();
      require_sundials(CVodeSetNonlinearSolver(cvode, nonlinear_solver_.get()), "CVodeSetNonlinearSolver");
    }
    if (problem.event_count() == 0) return;
    require_sundials(CVodeRootInit(cvode, problem.event_count(), SundialsProblem::events), "CVodeRootInit");
    require_sundials(CVodeSetRootDirection(cvode, problem.event_directions()), "CVodeSetRootDirection");
    require_sundials(CVodeSetNoInactiveRootWarn(cvode), "CVodeSetNoInactiveRootWarn");
  }

  void restart(double t, N_Vector y, double first_step) override {
    require_sundials(CVodeReInit(memory_.get(), t, y), "CVodeReInit");
    require_sundials(CVodeSetInitStep(memory_.get(), first_step), "CVodeSetInitStep");
    limit_ = std::numeric_limits<double>::quiet_NaN();
    time_ = t;
    evaluations_before_ = problem_.evaluations();
  }

  Advance advance(double limit, N_Vector y) override {
    if (limit != limit_) {
      require_sundials(CVodeSetStopTime(memory_.get(), limit), "CVodeSetStopTime");
      limit_ = limit;
    }
    const int flag = CVode(memory_.get(), limit, y, &time_, CV_ONE_STEP);
    if (flag < 0) problem_.fail(flag, method_, time_, last_step());
    return {.time = time_, .event = flag == CV_ROOT_RETURN};
  }

  void interpolate(double t, N_Vector y) override {
    const int flag = CVodeGetDky(memory_.get(), t, 0, y);
    if (flag < 0) problem_.fail(flag, method_, t, last_step());
  }

  IntegratorWork work() const override {
    long steps = 0, iterations = 0, krylov = 0, error_failures = 0, convergence_failures = 0;
    CVodeGetNumSteps(memory_.get(), &steps);
    CVodeGetNumNonlinSolvIters(memory_.get(), &iterations);
    if (linear_solver_ != nullptr) CVodeGetNumLinIters(memory_.get(), &krylov);
    CVodeGetNumErrTestFails(memory_.get(), &error_failures);
    CVodeGetNumNonlinSolvConvFails(memory_.get(), &convergence_failures);
    return {.steps = steps,
            .evaluations = problem_.evaluations() - evaluations_before_,
            .nonlinear_iterations = iterations,
            .linear_iterations = krylov,
            .error_failures = error_failures,
            .convergence_failures = convergence_failures};
  }

  double last_step() const override {
    double step = 0.0;
    CVodeGetLastStep(memory_.get(), &step);
    return step;
  }

 private:
  config::Method method_;
  SundialsProblem& problem_;
  LinearSolverHandle linear_solver_;
  NonlinearSolverHandle nonlinear_solver_;
  std::unique_ptr<void, FreeCvode> memory_;  ///< after the solvers: freed before them
  double limit_ = 0.0;
  double time_ = 0.0;
  std::int64_t evaluations_before_ = 0;
};

}  // namespace

std::unique_ptr<SundialsIntegrator> make_cvode_integrator(const config::IntegrationOptions& options,
                                                          SundialsProblem& problem, N_Vector template_vector) {
  return std::make_unique<CvodeIntegrator>(options, problem, template_vector);
}

}  // namespace rankflow::simulate
