#include "parallel/failure_guard.hpp"

#include <exception>
#include <new>

namespace rankflow::parallel {
namespace {

/// Longer than ranks need to come to the same error one after the other, short for somebody who waits.
constexpr double patience = 3.0;

Attempt describe_current_exception() {
  try {
    throw;
  } catch (const Error& error) {
    return {.code = error.code(), .failure = error.report()};
  } catch (const std::bad_alloc&) {
    return {.code = ExitCode::internal,
            .failure = "out of memory; --dry-run tells how much each rank needs, more ranks need less each"};
  } catch (const std::exception& error) {
    return {.code = ExitCode::internal, .failure = std::string("internal error: ") + error.what()};
  } catch (...) {
    return {.code = ExitCode::internal, .failure = "internal error: an exception of unknown kind"};
  }
}

}  // namespace

Attempt attempt_together(const Communicator& world, const std::function<ExitCode()>& action) {
  try {
    return {.code = action()};
  } catch (...) {
    auto attempt = describe_current_exception();
    attempt.alone = !world.meet_within(patience);
    return attempt;
  }
}

int run_guarded(const Communicator& world, const std::function<ExitCode()>& action,
                const std::function<void(const std::string&)>& report) {
  const auto attempt = attempt_together(world, action);
  if (attempt.alone) {
    report(fmt::format("rank {} of {}: {}", world.rank(), world.size(), attempt.failure));
    Environment::abort(static_cast<int>(attempt.code));
  }
  if (!attempt.failure.empty() && world.is_root()) report(attempt.failure);
  return static_cast<int>(attempt.code);
}

}  // namespace rankflow::parallel
