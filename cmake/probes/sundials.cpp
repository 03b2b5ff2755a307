#include <arkode/arkode_erkstep.h>
#include <cvode/cvode.h>
#include <mpi.h>
#include <nvector/nvector_parallel.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_config.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>
#include <sunnonlinsol/sunnonlinsol_newton.h>
#if !SUNDIALS_MPI_ENABLED || !defined(SUNDIALS_DOUBLE_PRECISION)
#error "SUNDIALS must be built with MPI and in double precision"
#endif

int main() {
  SUNContext context = nullptr;
  SUNContext_Create(nullptr, &context);
  N_Vector vector = N_VNew_Serial(2, context);
  N_Vector distributed = N_VNew_Parallel(MPI_COMM_WORLD, 2, 2, context);
  SUNLinearSolver linear = SUNLinSol_SPGMR(vector, SUN_PREC_NONE, 2, context);
  SUNNonlinearSolver newton = SUNNonlinSol_Newton(vector, context);
  SUNNonlinearSolver fixed_point = SUNNonlinSol_FixedPoint(vector, 0, context);
  void* multistep = CVodeCreate(CV_BDF, context);
  void* runge_kutta = ERKStepCreate(nullptr, 0.0, vector, context);
  const bool made = linear && newton && fixed_point && multistep && runge_kutta && distributed;
  return made ? 0 : 1;
}
