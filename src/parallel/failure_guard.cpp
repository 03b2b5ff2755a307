#include "parallel/failure_guard.hpp"

#include <exception>
#include <new>

namespace rankflow::parallel {
namespace {

/// Longer than ranks need to come to the same error one after the other, short for somebody who waits.
constexpr double patience = 3.0;

struct Failure {
  ExitCode code = ExitCode::internal;
  std::string report;
};

Failure describe_current_exception() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code(), error.report()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::internal, "out of memory; --dry-run tells how much each rank needs, more ranks need less each"};
  } catch (const std::exception& error) {
    return {ExitCode::internal, std::string("internal error: ") + error.what()};
  } catch (...) {
    return {ExitCode::internal, "internal error: an exception of unknown kind"};
  }
}

}  // namespace

int run_guarded(const Communicator& world, const std::function<ExitCode()>& action,
                const std::function<void(const std::string&)>& report) {
  try {
    return static_cast<int>(action());
  } catch (...) {
    const auto failure = describe_current_exception();
    if (world.meet_within(patience)) {
      if (world.is_root()) report(failure.report);
      return static_cast<int>(failure.code);
    }
    report(fmt::format("rank {} of {}: {}", world.rank(), world.size(), failure.report));
    Environment::abort(static_cast<int>(failure.code));
  }
}

}  // namespace rankflow::parallel
