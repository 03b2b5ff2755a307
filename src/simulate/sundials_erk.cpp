#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include <arkode/arkode_erkstep.h>

#include "simulate/sundials_integrator.hpp"

namespace rankflow::simulate {
namespace {

struct FreeErk {
  void operator()(void* memory) const noexcept { ERKStepFree(&memory); }
};

/// Hermite interpolation above this degree evaluates right-hand sides of its own.
constexpr int free_degree = 3;

struct FreeTable {
  void operator()(ARKodeButcherTable table) const noexcept { ARKodeButcherTable_Free(table); }
};
using Table = std::unique_ptr<std::remove_pointer_t<ARKodeButcherTable>, FreeTable>;

ARKODE_ERKTableID table_of_order(int order) {
  switch (order) {
    case 2:
      return ARKODE_HEUN_EULER_2_1_2;
    case 3:
      return ARKODE_BOGACKI_SHAMPINE_4_2_3;
    case 4:
      return ARKODE_ZONNEVELD_5_3_4;
    case 5:
      return ARKODE_CASH_KARP_6_4_5;
    case 6:
      return ARKODE_VERNER_8_5_6;
    default:
      return ARKODE_FEHLBERG_13_7_8;
  }
}

/// The same method with one more stage, f at the new state, which the next step takes as its first: first same as
/// last (FSAL), at no cost. Up to SUNDIALS 6.6 ERKStep takes every method whose last stage is at the step's end for
/// FSAL (github.com/llnl/sundials issue 311): Heun, Verner and Fehlberg lost accuracy, the second most of its order.
Table with_last_stage(const ARKodeButcherTableMem& table) {
  const int stages = table.stages;
  const auto size = static_cast<std::size_t>(stages) + 1;
  std::vector<double> nodes(table.c, table.c + stages), weights(table.b, table.b + stages),
      embedded(table.d, table.d + stages), matrix(size * size, 0.0);
  for (std::size_t i = 0; i + 1 < size; ++i)
    std::copy_n(table.A[i], stages, matrix.begin() + static_cast<std::ptrdiff_t>(i * size));
  std::copy_n(table.b, stages, matrix.end() - static_cast<std::ptrdiff_t>(size));
  nodes.push_back(1.0);
  weights.push_back(0.0);
  embedded.push_back(0.0);
  return Table(ARKodeButcherTable_Create(stages + 1, table.q, table.p, nodes.data(), matrix.data(), weights.data(),
                                         embedded.data()));
}

bool is_first_same_as_last(const ARKodeButcherTableMem& table) {
  return std::equal(table.b, table.b + table.stages, table.A[table.stages - 1]);
}

void set_method(void* erk, int order) {
  Table table(ARKodeButcherTable_LoadERK(table_of_order(order)));
  if (table != nullptr && !is_first_same_as_last(*table) && table->c[table->stages - 1] == 1.0)
    table = with_last_stage(*table);
  if (table == nullptr) throw std::bad_alloc();
  require_sundials(ERKStepSetTable(erk, table.get()), "ERKStepSetTable");
}

class ErkIntegrator final : public SundialsIntegrator {
 public:
  ErkIntegrator(const config::IntegrationOptions& options, double fixed_step, SundialsProblem& problem, N_Vector y)
      : fixed_(!options.adaptive),
        fixed_step_(fixed_step),
        problem_(problem),
        memory_(ERKStepCreate(SundialsProblem::rhs, 0.0, y, y->sunctx)) {
    if (memory_ == nullptr) throw std::bad_alloc();
    void* erk = memory_.get();
    require_sundials(ERKStepSetErrHandlerFn(erk, SundialsProblem::keep_message, &problem), "ERKStepSetErrHandlerFn");
    require_sundials(ERKStepSetUserData(erk, &problem), "ERKStepSetUserData");
    const int order = static_cast<int>(options.order);
    set_method(erk, order);
    // Fixed steps end at every saved row, so their interpolant only copies: keep it free of evaluations.
    const int degree = std::min(order - 1, fixed_ ? free_degree : ARK_INTERP_MAX_DEGREE);
    require_sundials(ERKStepSetInterpolantDegree(erk, degree), "ERKStepSetInterpolantDegree");
    require_sundials(ERKStepSStolerances(erk, options.relative_tolerance, options.absolute_tolerance),
                     "ERKStepSStolerances");
    require_sundials(ERKStepSetMaxErrTestFails(erk, allowed_error_failures), "ERKStepSetMaxErrTestFails");
    if (problem.event_count() == 0) return;
    require_sundials(ERKStepRootInit(erk, problem.event_count(), SundialsProblem::events), "ERKStepRootInit");
    require_sundials(ERKStepSetRootDirection(erk, problem.event_directions()), "ERKStepSetRootDirection");
    require_sundials(ERKStepSetNoInactiveRootWarn(erk), "ERKStepSetNoInactiveRootWarn");
  }

  void restart(double t, N_Vector y, double first_step) override {
    earlier_ = {};
    evaluations_before_ = problem_.evaluations();
    begin(t, y, first_step);
  }

  Advance advance(double limit, N_Vector y) override {
    // ARKODE keeps a step that a stop time cut short: start afresh where the length changes (ends of smooth pieces).
    if (fixed_ && std::abs(limit - time_ - step_length_) > 1e-9 * fixed_step_) {
      earlier_ = work();
      begin(time_, y, limit - time_);
    }
    if (limit != limit_) {
      require_sundials(ERKStepSetStopTime(memory_.get(), limit), "ERKStepSetStopTime");
      limit_ = limit;
    }
    const int flag = ERKStepEvolve(memory_.get(), limit, y, &time_, ARK_ONE_STEP);
    if (flag < 0) problem_.fail(flag, config::Method::runge_kutta, time_, last_step());
    return {.time = time_, .event = flag == ARK_ROOT_RETURN};
  }

  void interpolate(double t, N_Vector y) override {
    const int flag = ERKStepGetDky(memory_.get(), t, 0, y);
    if (flag < 0) problem_.fail(flag, config::Method::runge_kutta, t, last_step());
  }

  IntegratorWork work() const override {
    long expected = 0, accepted = 0, attempts = 0, evaluations = 0, error_failures = 0, steps = 0;
    ERKStepGetTimestepperStats(memory_.get(), &expected, &accepted, &attempts, &evaluations, &error_failures);
    ERKStepGetNumSteps(memory_.get(), &steps);
    return {.steps = earlier_.steps + steps,
            .evaluations = problem_.evaluations() - evaluations_before_,
            .error_failures = earlier_.error_failures + error_failures};
  }

  double last_step() const override {
    double step = 0.0;
    ERKStepGetLastStep(memory_.get(), &step);
    return step;
  }

 private:
  void begin(double t, N_Vector y, double length) {
    void* erk = memory_.get();
    require_sundials(ERKStepReInit(erk, SundialsProblem::rhs, t, y), "ERKStepReInit");
    if (fixed_)
      require_sundials(ERKStepSetFixedStep(erk, length), "ERKStepSetFixedStep");
    else
      require_sundials(ERKStepSetInitStep(erk, length), "ERKStepSetInitStep");
    limit_ = std::numeric_limits<double>::quiet_NaN();
    step_length_ = length;
    time_ = t;
  }

  bool fixed_;
  double fixed_step_;
  SundialsProblem& problem_;
  std::unique_ptr<void, FreeErk> memory_;
  double limit_ = 0.0;
  double time_ = 0.0;
  double step_length_ = 0.0;
  IntegratorWork earlier_;  ///< between the last restart and the last change of step length
  std::int64_t evaluations_before_ = 0;
};

}  // namespace

std::unique_ptr<SundialsIntegrator> make_erk_integrator(const config::IntegrationOptions& options, double fixed_step,
                                                        SundialsProblem& problem, N_Vector template_vector) {
  return std::make_unique<ErkIntegrator>(options, fixed_step, problem, template_vector);
}

}  // namespace rankflow::simulate
