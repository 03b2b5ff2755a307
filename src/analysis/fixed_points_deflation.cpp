#include "analysis/fixed_points_deflation.hpp"

#include <petscsnes.h>

#include "model/petsc_owned.hpp"
#include "model/sparse_bulk_session.hpp"

namespace rankflow::analysis {
namespace {

using model::check_petsc;

constexpr int most_iterations = 200;

Eigen::VectorXd copy_of(Vec vector, Eigen::Index size) {
  const PetscScalar* values = nullptr;
  check_petsc(VecGetArrayRead(vector, &values), "VecGetArrayRead");
  Eigen::VectorXd copy = Eigen::Map<const Eigen::VectorXd>(values, size);
  check_petsc(VecRestoreArrayRead(vector, &values), "VecRestoreArrayRead");
  return copy;
}

void write_to(Vec vector, const Eigen::VectorXd& source) {
  PetscScalar* values = nullptr;
  check_petsc(VecGetArrayWrite(vector, &values), "VecGetArrayWrite");
  Eigen::Map<Eigen::VectorXd>(values, source.size()) = source;
  check_petsc(VecRestoreArrayWrite(vector, &values), "VecRestoreArrayWrite");
}

/// Runs a callback; what it throws must not pass through PETSc.
template <class Action>
PetscErrorCode guarded(Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (...) {
    return PETSC_ERR_LIB;
  }
}

PetscErrorCode evaluate(SNES snes, Vec z, Vec value, void* context) {
  return guarded([&]() -> PetscErrorCode {
    const auto& residual = *static_cast<const DeflatedResidual*>(context);
    const Eigen::VectorXd result = residual.value(copy_of(z, residual.map().rank()));
    if (!result.allFinite()) return SNESSetFunctionDomainError(snes);
    write_to(value, result);
    return 0;
  });
}

PetscErrorCode differentiate(SNES, Vec z, Mat, Mat target, void* context) {
  return guarded([&]() -> PetscErrorCode {
    const auto& residual = *static_cast<const DeflatedResidual*>(context);
    const Eigen::MatrixXd jacobian = residual.jacobian(copy_of(z, residual.map().rank()));
    PetscScalar* entries = nullptr;
    check_petsc(MatDenseGetArrayWrite(target, &entries), "MatDenseGetArrayWrite");
    Eigen::Map<Eigen::MatrixXd>(entries, jacobian.rows(), jacobian.cols()) = jacobian;  // both by columns
    check_petsc(MatDenseRestoreArrayWrite(target, &entries), "MatDenseRestoreArrayWrite");
    check_petsc(MatAssemblyBegin(target, MAT_FINAL_ASSEMBLY), "MatAssemblyBegin");
    return MatAssemblyEnd(target, MAT_FINAL_ASSEMBLY);
  });
}

}  // namespace

double DeflatedResidual::factor(const Eigen::VectorXd& z) const {
  double product = 1;
  for (const auto& place : known_) product *= length_ * length_ / (z - place).squaredNorm() + 1;
  return product;
}

Eigen::VectorXd DeflatedResidual::value(const Eigen::VectorXd& z) const {
  return factor(z) * map_.residual(z);
}

Eigen::MatrixXd DeflatedResidual::jacobian(const Eigen::VectorXd& z) const {
  const double scale = factor(z);
  Eigen::RowVectorXd gradient = Eigen::RowVectorXd::Zero(z.size());  // of log factor
  for (const auto& place : known_) {
    const Eigen::VectorXd away = z - place;
    const double square = away.squaredNorm();
    const double pull = length_ * length_ / square;
    gradient -= 2 * pull / (square * (pull + 1)) * away.transpose();
  }
  return scale * (map_.residual_jacobian(z) + map_.residual(z) * gradient);
}

/// PETSc's objects; the session ends after them.
struct NewtonSolver::Petsc {
  explicit Petsc(const parallel::Communicator& comm) : session(model::PetscSession::join(comm)) {}

  std::shared_ptr<model::PetscSession> session;
  model::PetscOwned<Vec, VecDestroy> place, value;
  model::PetscOwned<Mat, MatDestroy> jacobian;
  model::PetscOwned<SNES, SNESDestroy> snes;
};

NewtonSolver::NewtonSolver(const DeflatedResidual& residual, double tolerance, const parallel::Communicator& comm)
    : petsc_(std::make_unique<Petsc>(comm)) {
  auto& p = *petsc_;
  const PetscInt size = residual.map().rank();
  void* context = const_cast<DeflatedResidual*>(&residual);  // PETSc hands it back, nobody changes it
  check_petsc(VecCreateSeq(PETSC_COMM_SELF, size, p.place.address()), "VecCreateSeq");
  check_petsc(VecDuplicate(p.place.get(), p.value.address()), "VecDuplicate");
  check_petsc(MatCreateSeqDense(PETSC_COMM_SELF, size, size, nullptr, p.jacobian.address()), "MatCreateSeqDense");
  check_petsc(SNESCreate(PETSC_COMM_SELF, p.snes.address()), "SNESCreate");
  check_petsc(SNESSetType(p.snes.get(), SNESNEWTONLS), "SNESSetType");
  check_petsc(SNESSetFunction(p.snes.get(), p.value.get(), evaluate, context), "SNESSetFunction");
  check_petsc(SNESSetJacobian(p.snes.get(), p.jacobian.get(), p.jacobian.get(), differentiate, context),
              "SNESSetJacobian");
  check_petsc(SNESSetTolerances(p.snes.get(), tolerance, 0.0, 0.0, most_iterations, 50 * most_iterations),
              "SNESSetTolerances");
  KSP linear = nullptr;
  PC factors = nullptr;
  check_petsc(SNESGetKSP(p.snes.get(), &linear), "SNESGetKSP");
  check_petsc(KSPSetType(linear, KSPPREONLY), "KSPSetType");
  check_petsc(KSPGetPC(linear, &factors), "KSPGetPC");
  check_petsc(PCSetType(factors, PCLU), "PCSetType");
}

NewtonSolver::~NewtonSolver() = default;

std::optional<Eigen::VectorXd> NewtonSolver::solve(const Eigen::VectorXd& start) {
  auto& p = *petsc_;
  write_to(p.place.get(), start);
  check_petsc(SNESSolve(p.snes.get(), nullptr, p.place.get()), "SNESSolve");
  SNESConvergedReason reason = SNES_CONVERGED_ITERATING;
  check_petsc(SNESGetConvergedReason(p.snes.get(), &reason), "SNESGetConvergedReason");
  if (reason < 0) return std::nullopt;
  return copy_of(p.place.get(), start.size());
}

}  // namespace rankflow::analysis
