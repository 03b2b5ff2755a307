#include "simulate/sundials_linear_solver.hpp"

#include <cvode/cvode.h>
#include <sunlinsol/sunlinsol_spgmr.h>

namespace rankflow::simulate {
namespace {

/// Krylov vectors before GMRES gives up: with the low-rank part inverted exactly a few suffice.
constexpr int krylov_dimension = 10;

struct Embedded {
  void* cvode;
  SundialsProblem& problem;
};

SUNLinearSolver_Type embedded_type(SUNLinearSolver) {
  return SUNLINEARSOLVER_MATRIX_EMBEDDED;
}

SUNLinearSolver_ID embedded_id(SUNLinearSolver) {
  return SUNLINEARSOLVER_CUSTOM;
}

/// A matrix-embedded solver asks CVODE for gamma and the present iterate.
int solve_embedded(SUNLinearSolver solver, SUNMatrix, N_Vector x, N_Vector b, realtype) {
  auto& self = *static_cast<Embedded*>(solver->content);
  realtype t = 0, gamma = 0, rl1 = 0;
  N_Vector predicted = nullptr, iterate = nullptr, slope = nullptr, zn1 = nullptr;
  void* user = nullptr;
  const int flag = CVodeGetNonlinearSystemData(self.cvode, &t, &predicted, &iterate, &slope, &gamma, &rl1, &zn1, &user);
  if (flag != CV_SUCCESS) return SUNLS_PACKAGE_FAIL_UNREC;
  const int result = self.problem.newton_solve(gamma, iterate, b, x);
  if (result == 0) return SUNLS_SUCCESS;
  return result > 0 ? SUNLS_LUFACT_FAIL : SUNLS_PACKAGE_FAIL_UNREC;
}

int free_embedded(SUNLinearSolver solver) {
  delete static_cast<Embedded*>(solver->content);
  solver->content = nullptr;
  SUNLinSolFreeEmpty(solver);
  return SUNLS_SUCCESS;
}

LinearSolverHandle make_embedded(void* cvode, SundialsProblem& problem, SUNContext context) {
  SUNLinearSolver solver = SUNLinSolNewEmpty(context);
  if (solver == nullptr) throw std::bad_alloc();
  solver->ops->free = free_embedded;
  solver->ops->gettype = embedded_type;
  solver->ops->getid = embedded_id;
  solver->ops->solve = solve_embedded;
  LinearSolverHandle handle(solver);
  solver->content = new Embedded{cvode, problem};
  return handle;
}

}  // namespace

LinearSolverHandle attach_linear_solver(void* cvode, SundialsProblem& problem, N_Vector template_vector) {
  const bool exact = problem.system().newton_is_exact();
  LinearSolverHandle solver = exact ? make_embedded(cvode, problem, template_vector->sunctx)
                                    : LinearSolverHandle(SUNLinSol_SPGMR(template_vector, SUN_PREC_LEFT,
                                                                         krylov_dimension, template_vector->sunctx));
  if (solver == nullptr) throw std::bad_alloc();
  require_sundials(CVodeSetLinearSolver(cvode, solver.get(), nullptr), "CVodeSetLinearSolver");
  if (exact) return solver;
  require_sundials(CVodeSetJacTimes(cvode, nullptr, SundialsProblem::jacobian_times), "CVodeSetJacTimes");
  require_sundials(CVodeSetPreconditioner(cvode, nullptr, SundialsProblem::precondition), "CVodeSetPreconditioner");
  return solver;
}

}  // namespace rankflow::simulate
