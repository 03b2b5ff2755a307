#include "io/agreement.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <thread>

namespace rankflow::io {
namespace {

/// Ends the job unless it is destroyed in time.
class Deadline {
 public:
  Deadline(const Failure& failure, int rank)
      : watcher_([this, failure, rank](const std::stop_token& token) { watch(token, failure, rank); }) {}

 private:
  void watch(const std::stop_token& token, const Failure& failure, int rank) {
    std::unique_lock lock(mutex_);
    if (condition_.wait_for(lock, token, std::chrono::seconds(patience_seconds),
                            [&] { return token.stop_requested(); }))
      return;
    if (token.stop_requested()) return;
    std::fprintf(stderr, "rank %d: %s\n(the other ranks do not answer: ending the job)\n", rank,
                 failure.message.c_str());
    std::fflush(stderr);
    parallel::Environment::abort(static_cast<int>(failure.code));
  }

  std::mutex mutex_;
  std::condition_variable_any condition_;
  std::jthread watcher_;
};

bool anybody_failed(const parallel::Communicator& comm, const std::optional<Failure>& mine) {
  std::optional<Deadline> deadline;
  if (mine && comm.size() > 1) deadline.emplace(*mine, comm.rank());
  return comm.any(mine.has_value());
}

}  // namespace

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
  if (!anybody_failed(comm, mine)) return;
  const auto codes = comm.all_gather(mine ? static_cast<std::int64_t>(mine->code) : 0);
  const auto first = std::find_if(codes.begin(), codes.end(), [](std::int64_t code) { return code != 0; });
  Failure failure{static_cast<ExitCode>(*first), mine ? mine->message : ""};
  comm.broadcast(failure.message, static_cast<int>(first - codes.begin()));
  throw_failure(failure);
}

}  // namespace rankflow::io
