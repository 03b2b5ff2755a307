#include "nn/quasi_newton.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <petsctao.h>

#include "core/error.hpp"
#include "model/petsc_owned.hpp"
#include "model/sparse_bulk_session.hpp"

namespace rankflow::nn {
namespace {

using model::check_petsc;
using OwnedVector = model::PetscOwned<Vec, &VecDestroy>;
using OwnedTao = model::PetscOwned<Tao, &TaoDestroy>;

/// f on all ranks at a point that rank 0 chooses.
class SharedObjective {
 public:
  SharedObjective(const parallel::Communicator& comm, std::span<const ParameterRange> trainable,
                  const SmoothObjective& f, std::size_t size)
      : comm_(comm), trainable_(trainable), f_(f), point_(size), gradient_(size) {}

  /// On rank 0, while the others serve().
  double evaluate(std::span<const double> x, std::span<double> gradient) {
    announce(true);
    std::ranges::copy(x, point_.begin());
    const double value = evaluate_point();
    std::ranges::fill(gradient, 0.0);
    for (const auto& range : trainable_)
      std::copy(gradient_.begin() + range.begin, gradient_.begin() + range.end, gradient.begin() + range.begin);
    return value;
  }
  /// On rank 0: nothing more is to be evaluated.
  void finish() { announce(false); }
  /// On the other ranks: evaluates with rank 0 until it finishes.
  void serve() {
    while (announce(false)) evaluate_point();
  }
  std::int64_t evaluations() const noexcept { return evaluations_; }

 private:
  bool announce(bool more) const {
    std::int64_t flag = more ? 1 : 0;
    comm_.broadcast(std::span(&flag, 1));
    return flag != 0;
  }

  double evaluate_point() {
    comm_.broadcast(std::span(point_));
    ++evaluations_;
    const double value = f_(point_, gradient_);
    if (!std::isfinite(value))
      throw NumericalError(
          "the objective is {} at evaluation {} of the quasi-Newton minimisation: start from other "
          "parameters, or bound them",
          value, evaluations_);
    for (const auto& range : trainable_)
      for (auto k = range.begin; k < range.end; ++k)
        if (const double slope = gradient_[static_cast<std::size_t>(k)]; !std::isfinite(slope))
          throw NumericalError(
              "derivative {} of the objective is {} at evaluation {} of the quasi-Newton "
              "minimisation: start from other parameters, or bound them",
              k, slope, evaluations_);
    return value;
  }

  const parallel::Communicator& comm_;
  std::span<const ParameterRange> trainable_;
  const SmoothObjective& f_;
  std::vector<double> point_;
  std::vector<double> gradient_;
  std::int64_t evaluations_ = 0;
};

/// What TAO's callback needs; an exception waits here until TAO has returned.
struct CallbackState {
  SharedObjective& objective;
  std::exception_ptr failure;
};

PetscErrorCode evaluate_for_tao(Tao, Vec x, PetscReal* value, Vec gradient, void* context) {
  auto& state = *static_cast<CallbackState*>(context);
  PetscInt size = 0;
  const PetscScalar* point = nullptr;
  PetscScalar* slopes = nullptr;
  if (const auto code = VecGetLocalSize(x, &size); code != 0) return code;
  if (const auto code = VecGetArrayRead(x, &point); code != 0) return code;
  if (const auto code = VecGetArray(gradient, &slopes); code != 0) return code;
  try {
    const auto count = static_cast<std::size_t>(size);
    *value = state.objective.evaluate({point, count}, {slopes, count});
  } catch (...) {
    state.failure = std::current_exception();
  }
  if (const auto code = VecRestoreArray(gradient, &slopes); code != 0) return code;
  if (const auto code = VecRestoreArrayRead(x, &point); code != 0) return code;
  return state.failure == nullptr ? 0 : PETSC_ERR_USER;
}

void make_vector(std::span<const double> values, OwnedVector& vector) {
  const auto size = static_cast<PetscInt>(values.size());
  check_petsc(VecCreateSeq(PETSC_COMM_SELF, size, vector.address()), "VecCreateSeq");
  PetscScalar* array = nullptr;
  check_petsc(VecGetArray(vector.get(), &array), "VecGetArray");
  std::ranges::copy(values, array);
  check_petsc(VecRestoreArray(vector.get(), &array), "VecRestoreArray");
}

/// The length of the memory can be told to TAO as an option only.
void configure(Tao tao, const QuasiNewtonOptions& options) {
  check_petsc(TaoSetType(tao, TAOBLMVM), "TaoSetType");
  check_petsc(TaoSetOptionsPrefix(tao, "rankflow_"), "TaoSetOptionsPrefix");
  check_petsc(
      PetscOptionsSetValue(nullptr, "-rankflow_tao_blmvm_mat_lmvm_hist_size", std::to_string(options.memory).c_str()),
      "PetscOptionsSetValue");
  check_petsc(TaoSetFromOptions(tao), "TaoSetFromOptions");
  check_petsc(TaoSetTolerances(tao, options.gradient_tolerance, options.relative_gradient_tolerance, 0.0),
              "TaoSetTolerances");
  check_petsc(TaoSetMaximumIterations(tao, static_cast<PetscInt>(options.max_iterations)), "TaoSetMaximumIterations");
  check_petsc(TaoSetMaximumFunctionEvaluations(tao, static_cast<PetscInt>(options.max_evaluations)),
              "TaoSetMaximumFunctionEvaluations");
}

QuasiNewtonResult result_of(Tao tao, std::int64_t evaluations) {
  QuasiNewtonResult result;
  PetscInt iterations = 0;
  TaoConvergedReason reason = TAO_CONTINUE_ITERATING;
  check_petsc(
      TaoGetSolutionStatus(tao, &iterations, &result.objective, &result.gradient_norm, nullptr, nullptr, &reason),
      "TaoGetSolutionStatus");
  result.iterations = iterations;
  result.evaluations = evaluations;
  result.converged = reason > 0;
  result.reason = TaoConvergedReasons[reason];
  return result;
}

/// The minimisation as rank 0 does it.
QuasiNewtonResult drive(std::span<double> x, SharedObjective& objective, const QuasiNewtonOptions& options,
                        const ParameterBounds& bounds) {
  OwnedVector point;
  OwnedVector lower;
  OwnedVector upper;
  OwnedTao tao;
  make_vector(x, point);
  check_petsc(TaoCreate(PETSC_COMM_SELF, tao.address()), "TaoCreate");
  CallbackState state{objective, nullptr};
  check_petsc(TaoSetObjectiveAndGradient(tao.get(), nullptr, evaluate_for_tao, &state), "TaoSetObjectiveAndGradient");
  check_petsc(TaoSetSolution(tao.get(), point.get()), "TaoSetSolution");
  configure(tao.get(), options);
  if (!bounds.lower.empty()) {
    make_vector(bounds.lower, lower);
    make_vector(bounds.upper, upper);
    check_petsc(TaoSetVariableBounds(tao.get(), lower.get(), upper.get()), "TaoSetVariableBounds");
  }
  const auto code = TaoSolve(tao.get());
  if (state.failure != nullptr) std::rethrow_exception(state.failure);
  check_petsc(code, "TaoSolve");
  objective.finish();
  const PetscScalar* best = nullptr;
  check_petsc(VecGetArrayRead(point.get(), &best), "VecGetArrayRead");
  std::copy_n(best, x.size(), x.begin());
  check_petsc(VecRestoreArrayRead(point.get(), &best), "VecRestoreArrayRead");
  return result_of(tao.get(), objective.evaluations());
}

void share(const parallel::Communicator& comm, std::span<double> x, QuasiNewtonResult& result) {
  comm.broadcast(x);
  std::array numbers{result.objective, result.gradient_norm};
  std::array counts{result.iterations, result.evaluations, std::int64_t{result.converged ? 1 : 0}};
  comm.broadcast(std::span<double>(numbers));
  comm.broadcast(std::span<std::int64_t>(counts));
  comm.broadcast(result.reason);
  result = {numbers[0], numbers[1], counts[0], counts[1], counts[2] != 0, std::move(result.reason)};
}

}  // namespace

QuasiNewtonResult minimise_quasi_newton(const parallel::Communicator& comm, std::span<double> x,
                                        std::span<const ParameterRange> trainable, const SmoothObjective& f,
                                        const QuasiNewtonOptions& options, const ParameterBounds& bounds) {
  if (std::cmp_greater(x.size(), std::numeric_limits<PetscInt>::max()))
    throw InternalError("a quasi-Newton minimisation over {} parameters", x.size());
  if (bounds.lower.size() != bounds.upper.size() || (!bounds.lower.empty() && bounds.lower.size() != x.size()))
    throw InternalError("{} lower and {} upper bounds for {} parameters", bounds.lower.size(), bounds.upper.size(),
                        x.size());
  SharedObjective objective(comm, trainable, f, x.size());
  QuasiNewtonResult result;
  if (comm.is_root()) {
    const auto session = model::PetscSession::join(comm);
    result = drive(x, objective, options, bounds);
  } else {
    objective.serve();
  }
  share(comm, x, result);
  return result;
}

}  // namespace rankflow::nn
