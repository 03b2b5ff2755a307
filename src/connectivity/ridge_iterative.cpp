#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <utility>

#include <petscksp.h>

#include "connectivity/posterior.hpp"
#include "connectivity/ridge_forms.hpp"
#include "core/error.hpp"
#include "model/petsc_owned.hpp"
#include "model/sparse_bulk_session.hpp"

namespace rankflow::connectivity {
namespace {

using model::check_petsc;
using OwnedVec = model::PetscOwned<Vec, &VecDestroy>;
using OwnedMat = model::PetscOwned<Mat, &MatDestroy>;
using OwnedKsp = model::PetscOwned<KSP, &KSPDestroy>;

/// a -> (K + lambda T) a of all components together [T, R], where rank 0 says which a; neurons are distributed.
class DualOperator {
 public:
  DualOperator(const VisitedStates& states, const Loadings& loadings, double penalty,
               const parallel::Communicator& comm)
      : states_(states),
        loadings_(loadings),
        comm_(comm),
        shift_(penalty * static_cast<double>(states.rows)),
        point_(states.rows, states.rank),
        n_(loadings.partition, states.rank) {}

  /// On rank 0, while the others serve().
  void apply(const double* a, double* result) {
    announce(true);
    std::copy_n(a, point_.size(), point_.data());
    const Eigen::MatrixXd image = evaluate();
    std::copy_n(image.data(), image.size(), result);
  }
  void finish() { announce(false); }
  void serve() {
    while (announce(false)) evaluate();
  }
  Eigen::Index rows() const noexcept { return point_.rows(); }
  Eigen::Index columns() const noexcept { return point_.cols(); }
  /// What rank 0 threw or PETSc returned waits here.
  std::exception_ptr failure;

 private:
  bool announce(bool more) const {
    std::int64_t flag = more ? 1 : 0;
    comm_.broadcast(std::span(&flag, 1));
    return flag != 0;
  }
  Eigen::MatrixXd evaluate() {
    comm_.broadcast(std::span(point_.data(), static_cast<std::size_t>(point_.size())));
    std::ranges::fill(n_.values(), 0.0);
    add_responses(loadings_, rows_of(states_), point_, n_);
    return drive_of(loadings_, n_, rows_of(states_), comm_) + shift_ * point_;
  }

  const VisitedStates& states_;
  const Loadings& loadings_;
  const parallel::Communicator& comm_;
  double shift_;
  Eigen::MatrixXd point_;
  model::NeuronArray<double> n_;
};

/// The inverse of the operator as the feature basis sees it (Woodbury).
class ReducedInverse {
 public:
  ReducedInverse(const FeatureBasis& basis, const Eigen::MatrixXd& gram, double penalty)
      : basis_(basis), factor_(factor_of(gram, penalty)), penalty_(penalty) {}

  Eigen::MatrixXd apply(const Eigen::Ref<const Eigen::MatrixXd>& x) const {
    const double rows = static_cast<double>(basis_.rows());
    const Eigen::MatrixXd inside = basis_.values().transpose() * x / rows;
    return (x + basis_.values() * (penalty_ * factor_.solve(inside) - inside)) / (penalty_ * rows);
  }

 private:
  const FeatureBasis& basis_;
  Factor factor_;
  double penalty_;
};

struct KrylovContext {
  DualOperator& whole;
  const ReducedInverse& inverse;
};

/// Runs `action(in, out)` on the arrays of two vectors; an exception waits until PETSc has returned.
template <class Action>
PetscErrorCode on_arrays(Vec x, Vec y, DualOperator& whole, const Action& action) {
  const PetscScalar* in = nullptr;
  PetscScalar* out = nullptr;
  if (const auto code = VecGetArrayRead(x, &in); code != 0) return code;
  if (const auto code = VecGetArrayWrite(y, &out); code != 0) return code;
  try {
    action(in, out);
  } catch (...) {
    whole.failure = std::current_exception();
  }
  if (const auto code = VecRestoreArrayWrite(y, &out); code != 0) return code;
  if (const auto code = VecRestoreArrayRead(x, &in); code != 0) return code;
  return whole.failure == nullptr ? 0 : PETSC_ERR_USER;
}

PetscErrorCode multiply_for_petsc(Mat matrix, Vec x, Vec y) {
  void* context = nullptr;
  if (const auto code = MatShellGetContext(matrix, static_cast<void*>(&context)); code != 0) return code;
  auto& whole = static_cast<KrylovContext*>(context)->whole;
  return on_arrays(x, y, whole, [&](const double* in, double* out) { whole.apply(in, out); });
}

PetscErrorCode precondition_for_petsc(PC preconditioner, Vec x, Vec y) {
  void* context = nullptr;
  if (const auto code = PCShellGetContext(preconditioner, static_cast<void*>(&context)); code != 0) return code;
  const auto& both = *static_cast<KrylovContext*>(context);
  return on_arrays(x, y, both.whole, [&](const double* in, double* out) {
    const Eigen::Map<const Eigen::MatrixXd> given(in, both.whole.rows(), both.whole.columns());
    Eigen::Map<Eigen::MatrixXd>(out, both.whole.rows(), both.whole.columns()) = both.inverse.apply(given);
  });
}

void fill_vector(const Eigen::MatrixXd& values, OwnedVec& vector) {
  check_petsc(VecCreateSeq(PETSC_COMM_SELF, static_cast<PetscInt>(values.size()), vector.address()), "VecCreateSeq");
  PetscScalar* array = nullptr;
  check_petsc(VecGetArrayWrite(vector.get(), &array), "VecGetArrayWrite");
  std::copy_n(values.data(), values.size(), array);
  check_petsc(VecRestoreArrayWrite(vector.get(), &array), "VecRestoreArrayWrite");
}

struct KrylovResult {
  std::int64_t iterations = 0;
  std::int64_t converged = 0;
};

/// Conjugate gradients as rank 0 does them; `a` holds the right side before and the solution after.
KrylovResult drive_krylov(KrylovContext& context, const RidgeOptions& options, Eigen::MatrixXd& a) {
  // Residuals of the dual system end up in those of the neurons with a factor of about 1.
  const double tolerance = options.tolerance / 10;
  OwnedVec right;
  OwnedVec solution;
  fill_vector(a, right);
  fill_vector(Eigen::MatrixXd::Zero(a.rows(), a.cols()), solution);
  OwnedMat matrix;
  const auto size = static_cast<PetscInt>(a.size());
  check_petsc(MatCreateShell(PETSC_COMM_SELF, size, size, size, size, &context, matrix.address()), "MatCreateShell");
  check_petsc(MatShellSetOperation(matrix.get(), MATOP_MULT, reinterpret_cast<void (*)()>(&multiply_for_petsc)),
              "MatShellSetOperation");
  OwnedKsp solver;
  check_petsc(KSPCreate(PETSC_COMM_SELF, solver.address()), "KSPCreate");
  check_petsc(KSPSetType(solver.get(), KSPCG), "KSPSetType");
  check_petsc(KSPSetOperators(solver.get(), matrix.get(), matrix.get()), "KSPSetOperators");
  check_petsc(KSPSetNormType(solver.get(), KSP_NORM_UNPRECONDITIONED), "KSPSetNormType");
  check_petsc(
      KSPSetTolerances(solver.get(), tolerance, 0.0, PETSC_DEFAULT, static_cast<PetscInt>(options.maximum_iterations)),
      "KSPSetTolerances");
  PC preconditioner = nullptr;
  check_petsc(KSPGetPC(solver.get(), &preconditioner), "KSPGetPC");
  check_petsc(PCSetType(preconditioner, PCSHELL), "PCSetType");
  check_petsc(PCShellSetContext(preconditioner, &context), "PCShellSetContext");
  check_petsc(PCShellSetApply(preconditioner, &precondition_for_petsc), "PCShellSetApply");
  const auto code = KSPSolve(solver.get(), right.get(), solution.get());
  if (context.whole.failure != nullptr) std::rethrow_exception(context.whole.failure);
  check_petsc(code, "KSPSolve");
  PetscInt iterations = 0;
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  check_petsc(KSPGetIterationNumber(solver.get(), &iterations), "KSPGetIterationNumber");
  check_petsc(KSPGetConvergedReason(solver.get(), &reason), "KSPGetConvergedReason");
  const PetscScalar* array = nullptr;
  check_petsc(VecGetArrayRead(solution.get(), &array), "VecGetArrayRead");
  std::copy_n(array, a.size(), a.data());
  check_petsc(VecRestoreArrayRead(solution.get(), &array), "VecRestoreArrayRead");
  return {.iterations = iterations, .converged = reason > 0 ? 1 : 0};
}

}  // namespace

void refine(const VisitedStates& states, const FeatureBasis& basis, const Loadings& loadings,
            const RidgeOptions& options, const parallel::Communicator& comm, RidgeSolution& solution) {
  const auto session = model::PetscSession::join(comm);
  const Eigen::MatrixXd gram = feature_gram(basis, loadings, comm);
  const ReducedInverse inverse(basis, gram, solution.penalty);
  DualOperator whole(states, loadings, solution.penalty, comm);
  Eigen::MatrixXd weights = targets_of(states);
  KrylovResult result;
  if (comm.is_root()) {
    KrylovContext context{.whole = whole, .inverse = inverse};
    result = drive_krylov(context, options, weights);
    whole.finish();
  } else {
    whole.serve();
  }
  comm.broadcast(std::span(weights.data(), static_cast<std::size_t>(weights.size())));
  comm.broadcast(std::span(&result, 1));
  solution.form = RidgeForm::iterative;
  solution.iterations = result.iterations;
  solution.mean = {
      .rank = states.rank, .inputs = states.inputs, .z = states.z, .v = states.v, .weights = std::move(weights)};
  solution.n = solution.mean(loadings);
  certify(states, loadings, comm, solution);
  if (result.converged == 0 || solution.certificate.residual > options.tolerance)
    throw NumericalError(
        "conjugate gradients leave a residual of {:.3g} after {} iterations, above the tolerance {:.3g}: raise the "
        "penalty, the tolerance, the number of iterations or that of the basis' functions",
        solution.certificate.residual, solution.iterations, options.tolerance);
}

}  // namespace rankflow::connectivity
