#pragma once
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::io {

/// What went wrong on one rank, in a form that can be sent to the others.
struct Failure {
  ExitCode code = ExitCode::internal;
  std::string message;
};

/// Throws the typed error that belongs to the failure's code.
[[noreturn]] void throw_failure(const Failure& failure);

/// How long a rank that failed waits for the others to hear of it.
inline constexpr int patience_seconds = 5;

/// Throws on every rank when at least one rank failed: the failure of the lowest such rank. Collective.
/// When the others do not come within patience_seconds (they may wait for this rank inside a collective
/// write, as on a full disk), the failed rank prints its message and ends the job with its exit code.
void agree(const parallel::Communicator& comm, const std::optional<Failure>& mine);

/// Runs `action`; what it throws comes back as a Failure.
template <class Action>
std::optional<Failure> attempt(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Error& error) {
    return Failure{error.code(), error.what()};
  } catch (const std::exception& error) {
    return Failure{ExitCode::internal, error.what()};
  }
  return std::nullopt;
}

/// Runs `action` on every rank; an error on one rank becomes an error on all, so that nobody waits
/// for a rank that gave up. Inside `action` every rank must make the same collective calls. Collective.
template <class Action>
void on_all_ranks(const parallel::Communicator& comm, Action&& action) {
  agree(comm, attempt(std::forward<Action>(action)));
}

/// Runs `action` on rank 0 only; its error is thrown on every rank. Collective.
template <class Action>
void on_root(const parallel::Communicator& comm, Action&& action) {
  agree(comm, comm.is_root() ? attempt(std::forward<Action>(action)) : std::nullopt);
}

}  // namespace rankflow::io
