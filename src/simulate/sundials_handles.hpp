#pragma once
// Private to the .cpp files of the SUNDIALS engine: no public header includes it.
#include <memory>
#include <type_traits>

#include <sundials/sundials_context.h>
#include <sundials/sundials_linearsolver.h>
#include <sundials/sundials_nonlinearsolver.h>
#include <sundials/sundials_nvector.h>

#include "core/error.hpp"

namespace rankflow::simulate {

struct DestroyVector {
  void operator()(N_Vector vector) const noexcept { N_VDestroy(vector); }
};
struct DestroyLinearSolver {
  void operator()(SUNLinearSolver solver) const noexcept { SUNLinSolFree(solver); }
};
struct DestroyNonlinearSolver {
  void operator()(SUNNonlinearSolver solver) const noexcept { SUNNonlinSolFree(solver); }
};

using VectorHandle = std::unique_ptr<std::remove_pointer_t<N_Vector>, DestroyVector>;
using LinearSolverHandle = std::unique_ptr<std::remove_pointer_t<SUNLinearSolver>, DestroyLinearSolver>;
using NonlinearSolverHandle = std::unique_ptr<std::remove_pointer_t<SUNNonlinearSolver>, DestroyNonlinearSolver>;

/// The SUNDIALS context every object of one engine belongs to; must outlive them.
class SundialsContext {
 public:
  SundialsContext() {
    if (SUNContext_Create(nullptr, &context_) != 0) throw InternalError("SUNContext_Create failed");
  }
  SundialsContext(const SundialsContext&) = delete;
  SundialsContext& operator=(const SundialsContext&) = delete;
  ~SundialsContext() { SUNContext_Free(&context_); }

  SUNContext get() const noexcept { return context_; }

 private:
  SUNContext context_ = nullptr;
};

/// Throws InternalError when a call that configures SUNDIALS failed: only a defect of ours can make it fail.
inline void require_sundials(int flag, const char* call) {
  if (flag < 0) throw InternalError("{} failed with flag {}", call, flag);
}

}  // namespace rankflow::simulate
