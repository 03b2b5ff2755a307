#include "model/sparse_bulk_session.hpp"

#include <petscsys.h>

#include "core/error.hpp"

namespace rankflow::model {

std::shared_ptr<PetscSession> PetscSession::join(const parallel::Communicator& comm) {
  static std::shared_ptr<PetscSession> kept;
  if (kept == nullptr) {
    kept.reset(new PetscSession(comm));
    // A session that began MPI lasts as long as the process: MPI cannot start a second time.
    if (!PetscBeganMPI) parallel::Environment::before_end([] { kept.reset(); });
  }
  return kept;
}

PetscSession::PetscSession(const parallel::Communicator& comm) {
  // Work is done on the communicators of the matrices; a session of one's own needs no agreement with other ranks.
  if (!comm.is_serial()) PETSC_COMM_WORLD = MPI_COMM_SELF;
  check_petsc(PetscOptionsSetValue(nullptr, "-no_signal_handler", "true"), "PetscOptionsSetValue");
  check_petsc(PetscOptionsSetValue(nullptr, "-skip_petscrc", "true"), "PetscOptionsSetValue");
  check_petsc(PetscInitializeNoArguments(), "PetscInitialize");
  check_petsc(PetscPushErrorHandler(PetscReturnErrorHandler, nullptr), "PetscPushErrorHandler");
}

PetscSession::~PetscSession() {
  PetscFinalize();
}

void check_petsc(int code, const char* call) {
  if (code == 0) return;
  const char* text = nullptr;
  char* specific = nullptr;
  PetscErrorMessage(code, &text, &specific);
  throw InternalError("{} failed: {} {}", call, text != nullptr ? text : fmt::format("PETSc error {}", code).c_str(),
                      specific != nullptr ? specific : "");
}

}  // namespace rankflow::model
