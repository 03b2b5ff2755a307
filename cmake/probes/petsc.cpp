#include <petscksp.h>
#if !defined(PETSC_USE_REAL_DOUBLE) || defined(PETSC_USE_COMPLEX) || !defined(PETSC_HAVE_MPIIO)
#error "PETSc must be built with MPI, for real numbers in double precision"
#endif

int main(int argc, char** argv) {
  PetscInitialize(&argc, &argv, nullptr, nullptr);
  Mat matrix = nullptr;
  MatCreate(PETSC_COMM_WORLD, &matrix);
  MatDestroy(&matrix);
  KSP solver = nullptr;
  KSPCreate(PETSC_COMM_WORLD, &solver);
  KSPDestroy(&solver);
  return PetscFinalize();
}
