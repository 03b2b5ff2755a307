#include "flow/adaptive_step.hpp"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include <arkode/arkode_erkstep.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>

#include "core/error.hpp"

namespace rankflow::flow {
namespace {

constexpr long most_steps = 1'000'000;

struct FreeFlowContext {
  void operator()(SUNContext context) const noexcept { SUNContext_Free(&context); }
};
struct FreeFlowVector {
  void operator()(N_Vector vector) const noexcept { N_VDestroy(vector); }
};
struct FreeFlowErk {
  void operator()(void* memory) const noexcept { ERKStepFree(&memory); }
};
template <class Handle, class Free>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Free>;

void require(int flag, const char* call) {
  if (flag < 0) throw InternalError("{} failed with flag {}", call, flag);
}

std::span<double> numbers(N_Vector vector) {
  return {N_VGetArrayPointer(vector), static_cast<std::size_t>(N_VGetLength(vector))};
}

}  // namespace

struct AdaptiveStep::Solver {
  Solver(std::int64_t size, double tolerance, Derivative function) : derivative(std::move(function)) {
    SUNContext raw = nullptr;
    if (SUNContext_Create(nullptr, &raw) != 0) throw InternalError("SUNContext_Create failed");
    context.reset(raw);
    y.reset(N_VNew_Serial(size, raw));
    if (y == nullptr) throw std::bad_alloc();
    N_VConst(0.0, y.get());
    erk.reset(ERKStepCreate(evaluate, 0.0, y.get(), raw));
    if (erk == nullptr) throw std::bad_alloc();
    require(ERKStepSetErrHandlerFn(erk.get(), keep_message, this), "ERKStepSetErrHandlerFn");
    require(ERKStepSetUserData(erk.get(), this), "ERKStepSetUserData");
    require(ERKStepSetTableNum(erk.get(), ARKODE_DORMAND_PRINCE_7_4_5), "ERKStepSetTableNum");
    require(ERKStepSStolerances(erk.get(), tolerance, tolerance), "ERKStepSStolerances");
    require(ERKStepSetMaxNumSteps(erk.get(), most_steps), "ERKStepSetMaxNumSteps");
  }

  /// C calls it: nothing may be thrown through.
  static int evaluate(double t, N_Vector y, N_Vector slope, void* data) noexcept {
    auto& self = *static_cast<Solver*>(data);
    ++self.evaluations;
    self.derivative(t, numbers(y), numbers(slope));
    const bool finite = std::ranges::all_of(numbers(slope), [](double value) { return value - value == 0; });
    return finite ? 0 : 1;  // 1: ARKODE tries a shorter step
  }

  static void keep_message(int, const char*, const char*, char* text, void* data) noexcept {
    static_cast<Solver*>(data)->message = text;
  }

  Derivative derivative;
  Owned<SUNContext, FreeFlowContext> context;
  Owned<N_Vector, FreeFlowVector> y;
  std::unique_ptr<void, FreeFlowErk> erk;
  std::string message;
  std::int64_t evaluations = 0;
};

AdaptiveStep::AdaptiveStep(std::int64_t size, double tolerance, Derivative derivative)
    : solver_(std::make_unique<Solver>(size, tolerance, std::move(derivative))) {}
AdaptiveStep::~AdaptiveStep() = default;

void AdaptiveStep::run(std::span<double> y, double from, double to) {
  auto& solver = *solver_;
  void* const erk = solver.erk.get();
  std::ranges::copy(y, numbers(solver.y.get()).begin());
  // The first step is chosen anew: a result must not depend on what was integrated before.
  require(ERKStepReInit(erk, Solver::evaluate, from, solver.y.get()), "ERKStepReInit");
  require(ERKStepSetStopTime(erk, to), "ERKStepSetStopTime");
  double reached = from;
  const int flag = ERKStepEvolve(erk, to, solver.y.get(), &reached, ARK_NORMAL);
  if (flag < 0)
    throw NumericalError(
        "ARKODE gave up at t = {} of a flow (flag {}): {}; raise the tolerance, or train the flow longer", reached,
        flag, solver.message);
  std::ranges::copy(numbers(solver.y.get()), y.begin());
}

std::int64_t AdaptiveStep::evaluations() const noexcept {
  return solver_->evaluations;
}

}  // namespace rankflow::flow
