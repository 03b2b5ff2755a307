#pragma once
#include <memory>

#include "parallel/communicator.hpp"

namespace rankflow::model {

/// PETSc once somebody needs it: begun for the first holder, ended just before MPI, when all holders must have gone
/// (in one process PETSc 3.18 cannot be begun a second time: types of Tao and of its matrices stay unknown).
/// Signals, options files and error output of PETSc are switched off. With the serial twin and no MPI running
/// PETSc starts MPI itself; then both last until the process ends.
class PetscSession {
 public:
  /// Joins the session under way or begins one. Not collective unless `comm` is the serial twin while MPI runs.
  static std::shared_ptr<PetscSession> join(const parallel::Communicator& comm);
  ~PetscSession();
  PetscSession(const PetscSession&) = delete;
  PetscSession& operator=(const PetscSession&) = delete;

 private:
  explicit PetscSession(const parallel::Communicator& comm);
};

/// Throws InternalError naming the call and PETSc's reason unless `code` is 0.
void check_petsc(int code, const char* call);

}  // namespace rankflow::model
