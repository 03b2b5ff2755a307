#pragma once
// Private to the .cpp files of the SUNDIALS engine: no public header includes it.
#include "simulate/sundials_problem.hpp"

namespace rankflow::simulate {

/// Gives CVODE the linear solver of its Newton iteration: SundialsProblem::newton_solve where it is exact, as a
/// matrix-embedded solver; else GMRES with exact products J v, preconditioned by it. The solver must outlive `cvode`.
LinearSolverHandle attach_linear_solver(void* cvode, SundialsProblem& problem, N_Vector template_vector);

}  // namespace rankflow::simulate
