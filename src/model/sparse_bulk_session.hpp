#pragma once
#include <memory>

#include "parallel/communicator.hpp"

namespace rankflow::model {

/// PETSc while somebody needs it: begun for the first holder, ended with the last one, which must go before MPI ends.
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
