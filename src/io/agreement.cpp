#include "io/agreement.hpp"

#include <algorithm>
#include <cstdint>

namespace rankflow::io {

void throw_failure(const Failure& failure) {
  switch (failure.code) {
    case ExitCode::configuration:
      throw ConfigurationError("{}", failure.message);
    case ExitCode::input_data:
      throw InputDataError("{}", failure.message);
    case ExitCode::numerical:
      throw NumericalError("{}", failure.message);
    case ExitCode::input_output:
      throw InputOutputError("{}", failure.message);
    default:
      throw InternalError("{}", failure.message);
  }
}

void agree(const parallel::Communicator& comm, const std::optional<Failure>& mine) {
  if (!comm.any(mine.has_value())) return;
  const auto codes = comm.all_gather(mine ? static_cast<std::int64_t>(mine->code) : 0);
  const auto first = std::find_if(codes.begin(), codes.end(), [](std::int64_t code) { return code != 0; });
  Failure failure{static_cast<ExitCode>(*first), mine ? mine->message : ""};
  comm.broadcast(failure.message, static_cast<int>(first - codes.begin()));
  throw_failure(failure);
}

}  // namespace rankflow::io
