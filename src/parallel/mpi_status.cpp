#include "parallel/mpi_status.hpp"

#include <mpi.h>

#include "core/error.hpp"

namespace rankflow::parallel {

void check_mpi(int status, const char* call) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw InternalError("{} failed: {}", call, std::string_view(text, static_cast<std::size_t>(length)));
}

}  // namespace rankflow::parallel
