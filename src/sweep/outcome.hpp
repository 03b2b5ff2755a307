#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace rankflow::sweep {

/// How a case ended for good.
enum class Status {
  done,
  halted,   ///< ended early because others did better (sweep.halving); it has metrics
  failed,   ///< the driver ended with an error, said in the message
  timeout,  ///< took longer than sweep.timeout
  dead      ///< its process died as often as sweep.attempts allows
};

/// "done", "halted", "failed", "timeout", "dead".
std::string name_of(Status status);

/// What is recorded of a case when it is over; written exactly once.
struct Outcome {
  Status status = Status::done;
  int exit_code = 0;                      ///< of the driver; 1 when it did not come to return one
  std::string message;                    ///< why it is not done; one line or several
  double seconds = 0;                     ///< of work, over all sessions that ended in order
  std::int64_t sessions = 1;              ///< how often the case was begun or resumed
  std::int64_t deaths = 0;                ///< how many of those sessions died
  int ranks = 1;                          ///< of the last session
  std::string host;                       ///< of the last session
  std::string finished;                   ///< UTC, "2024-05-01T12:00:00Z"
  std::map<std::string, double> metrics;  ///< name -> value, of a case that is done; may be NaN
};

/// TOML, which unlike JSON has NaN.
std::string text_of(const Outcome& outcome);
/// Throws InputOutputError naming `file` when the text is no outcome.
Outcome parse_outcome(const std::string& text, const std::filesystem::path& file);

}  // namespace rankflow::sweep
