#pragma once
#include <cstdint>

namespace rankflow::parallel {

/// Largest number of elements in one MPI message; below the 32-bit limit of MPI-3 counts.
inline constexpr std::int64_t mpi_message_limit = std::int64_t{1} << 30;

/// Throws InternalError naming the call and MPI's reason unless `status` is MPI_SUCCESS.
void check_mpi(int status, const char* call);

}  // namespace rankflow::parallel
