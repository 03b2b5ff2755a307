#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rankflow {

/// Exit codes of the program; part of its interface.
enum class ExitCode : int {
  done = 0,
  internal = 1,       ///< a defect of Rankflow itself
  configuration = 2,  ///< usage or configuration
  input_data = 3,     ///< a file given by the user holds something unusable
  numerical = 4,      ///< non-finite value, integrator failure
  input_output = 5,   ///< the file system refused
  stopped = 75        ///< stopped on request with a good checkpoint: resubmit to continue
};

/// An error the user can act on: what was found, what is allowed, what to do; the context lines say
/// what was being done, innermost first.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ExitCode code() const noexcept { return code_; }
  const std::vector<std::string>& context() const noexcept { return context_; }
  void add_context(std::string line) { context_.push_back(std::move(line)); }
  /// The message followed by one "while …" line per context.
  std::string report() const;

 private:
  ExitCode code_;
  std::vector<std::string> context_;
};

/// An Error of one exit code: InputDataError("'{}' lacks {}", file, key).
template <ExitCode Code>
class TypedError : public Error {
 public:
  template <class... Args>
  explicit TypedError(fmt::format_string<Args...> format, Args&&... args)
      : Error(Code, fmt::format(format, std::forward<Args>(args)...)) {}
};

// Which one to throw: whose action ends the trouble? The configuration's author, the owner of a data file, whoever
// chose model and step size, the system's administrator, or we.
using ConfigurationError = TypedError<ExitCode::configuration>;
using InputDataError = TypedError<ExitCode::input_data>;
using NumericalError = TypedError<ExitCode::numerical>;
using InputOutputError = TypedError<ExitCode::input_output>;
using InternalError = TypedError<ExitCode::internal>;

/// Runs `action`; an Error that passes through gains the line "while <doing>".
template <class Action>
decltype(auto) with_context(std::string_view doing, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (Error& error) {
    error.add_context(std::string(doing));
    throw;
  }
}

}  // namespace rankflow
