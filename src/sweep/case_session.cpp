#include "sweep/case_session.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <limits>
#include <map>
#include <optional>

#include <unistd.h>

#include "config/parse.hpp"
#include "io/agreement.hpp"
#include "io/file_system.hpp"
#include "io/provenance.hpp"
#include "parallel/failure_guard.hpp"
#include "parallel/stop_signals.hpp"
#include "sweep/heartbeat.hpp"
#include "sweep/output_redirection.hpp"

namespace rankflow::sweep {
namespace {

constexpr double beats_until_stale = 6;
constexpr double least_grace = 30;  ///< s for a checkpoint after the time is over

/// Leaves a file that says the same alone: another worker may be reading it.
void write_configuration(const std::filesystem::path& path, const std::string& text) {
  if (std::filesystem::exists(path) && config::read_text_file(path.string()) == text) return;
  const auto aside = io::temporary_name(path);
  std::ofstream file(aside, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw InputOutputError("cannot write '{}'", aside.string());
  io::replace_file(aside, path);
}

/// Whether a session before this one left anything: a result, or checkpoints next to it.
bool has_beginnings(const Task& task) {
  if (std::filesystem::exists(task.result)) return true;
  const auto prefix = task.result.filename().string() + ".checkpoint-";
  for (const auto& entry : std::filesystem::directory_iterator(task.result.parent_path()))
    if (entry.path().filename().string().starts_with(prefix)) return true;
  return false;
}

/// What a damaged earlier result or checkpoint makes a resumption end with.
bool may_be_damage(ExitCode code) {
  return code == ExitCode::configuration || code == ExitCode::input_data || code == ExitCode::input_output ||
         code == ExitCode::internal;
}

/// One session of one case.
class CaseSession {
 public:
  CaseSession(const Workplace& at, const Claim& claim, double wall_time)
      : at_(at),
        claim_(claim),
        case_(at.plan.cases[claim.index]),
        folder_(case_folder(at.plan.directory, case_.id)),
        task_{.one = case_,
              .configuration = folder_ / "config.toml",
              .result = folder_ / "result.h5",
              .wall_time = wall_time,
              .pause_after = claim.aim == Aim::pause ? claim.epochs : 0} {}

  SessionEnd run() {
    if (claim_.deaths >= at_.plan.attempts) return give_up();
    if (claim_.aim == Aim::park || claim_.aim == Aim::halt) return end_without_work();
    const auto setting_up = parallel::attempt_together(at_.group.split(0), [&] {
      io::on_root(at_.group, [&] { set_up(); });
      return ExitCode::done;
    });
    if (!setting_up.failure.empty()) return conclude(setting_up);
    return conclude(compute());
  }

 private:
  bool is_root() const { return at_.group.is_root(); }

  void set_up() {
    std::filesystem::create_directories(folder_);
    write_configuration(task_.configuration, case_.configuration);
    spent_ = claim_.session > 1 ? at_.ledger.notes(case_.id, claim_.session - 1).seconds : 0;
    if (claim_.retried == 0) return;
    spent_before_ = at_.ledger.notes(case_.id, claim_.retried).seconds;
    // What a case left that failed may be what it failed of.
    const auto retry = at_.ledger.retry_note(case_.id, claim_.retried);
    begins_anew_ = claim_.session == claim_.retried + 1 && retry && retry->reason == name_of(Status::failed);
  }

  /// Everything that the case prints goes to its log, and everything that it made is gone when this returns.
  parallel::Attempt compute() {
    const OutputRedirection log(folder_ / "log.txt");
    Console console(is_root());
    std::optional<Heartbeat> heartbeat;
    if (is_root()) heartbeat.emplace(at_.ledger, case_.id, claim_.session, limits());
    task_.overwrite = at_.group.any(begins_anew_);
    task_.resume = at_.group.any(is_root() && !begins_anew_ && has_beginnings(task_));
    auto attempt = compute_once(console);
    if (task_.resume && !attempt.failure.empty() && may_be_damage(attempt.code)) {
      console.warn("what an earlier session left cannot be continued; beginning anew");
      task_.resume = false;
      task_.overwrite = true;
      attempt = compute_once(console);
    }
    if (!heartbeat) return attempt;
    heartbeat->stop();
    lost_ = heartbeat->lost();
    timed_out_ = heartbeat->timed_out();
    return attempt;
  }

  /// On communicators of its own: what a failed case left unread on them goes with them.
  parallel::Attempt compute_once(Console& console) {
    const auto guard = at_.group.split(0);
    const auto comm = at_.group.split(0);
    auto attempt = parallel::attempt_together(guard, [&] { return at_.runner.run(task_, comm, console); });
    if (attempt.alone) end_job(attempt);
    if (!attempt.failure.empty() && is_root()) console.error(attempt.failure);
    return attempt;
  }

  Heartbeat::Limits limits() {
    const double left = at_.plan.timeout > 0 ? std::max(at_.plan.timeout - (spent_ - spent_before_), 1e-3) : 0;
    const double grace = std::max(least_grace, at_.plan.stale_after);
    return {
        .interval = at_.plan.stale_after / beats_until_stale, .seconds = left, .grace = grace, .stuck = [this, grace] {
          auto outcome = outcome_of(Status::timeout, ExitCode::internal);
          outcome.message = fmt::format("not done after {} s, nor stopped {} s later: its process was killed",
                                        at_.plan.timeout, grace);
          at_.ledger.finish(case_.id, claim_.session, outcome, claim_.retried);
          ::kill(::getpid(), SIGKILL);
        }};
  }

  /// MPI cannot go on without a rank.
  [[noreturn]] void end_job(const parallel::Attempt& attempt) {
    const auto what =
        fmt::format("rank {} of {} failed alone: {}", at_.group.rank(), at_.group.size(), attempt.failure);
    at_.ledger.end(case_.id, claim_.session, Ending::died, {.seconds = 0, .reason = what});
    std::fprintf(stderr, "%s\n", what.c_str());
    parallel::Environment::abort(static_cast<int>(attempt.code));
  }

  double seconds() const {
    return spent_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  Outcome outcome_of(Status status, ExitCode code) const {
    return {.status = status,
            .exit_code = static_cast<int>(code),
            .message = {},
            .seconds = seconds(),
            .sessions = claim_.session,
            .deaths = claim_.deaths,
            .ranks = at_.group.size(),
            .host = Owner::myself().host,
            .finished = io::utc_now(),
            .metrics = {}};
  }

  Outcome done() const {
    try {
      auto outcome = outcome_of(Status::done, ExitCode::done);
      outcome.metrics = at_.runner.metrics(task_);
      return outcome;
    } catch (const Error& error) {
      auto outcome = outcome_of(Status::failed, error.code());
      outcome.message = error.report();
      return outcome;
    }
  }

  /// Rank 0 decides for the group.
  SessionEnd conclude(const parallel::Attempt& attempt) {
    auto end = static_cast<std::int64_t>(SessionEnd::over);
    if (is_root()) end = static_cast<std::int64_t>(record_or_excuse(attempt));
    at_.group.broadcast(std::span<std::int64_t>(&end, 1));
    parallel::StopSignals::forget_request();
    return static_cast<SessionEnd>(end);
  }

  /// When nothing can be recorded, as on a full disk, the worker ends, and the case is not to blame.
  SessionEnd record_or_excuse(const parallel::Attempt& attempt) {
    try {
      return record(attempt);
    } catch (const InputOutputError&) {
      at_.ledger.excuse(case_.id, claim_.session);
      throw;
    }
  }

  SessionEnd record(const parallel::Attempt& attempt) {
    if (lost_) {
      at_.console.warn("case {} was taken over by another worker: this one gave no heartbeat for too long", case_.id);
      return SessionEnd::over;
    }
    if (attempt.code == ExitCode::stopped && !timed_out_) return came_to_rung() ? pause() : release();
    Outcome outcome;
    if (attempt.code == ExitCode::done) {
      outcome = done();
    } else if (attempt.code == ExitCode::stopped) {
      outcome = outcome_of(Status::timeout, attempt.code);
      outcome.message = fmt::format("not done after {} s (sweep.timeout)", at_.plan.timeout);
    } else {
      outcome = outcome_of(Status::failed, attempt.code);
      outcome.message = attempt.failure;
    }
    settle(outcome);
    return SessionEnd::over;
  }

  static double metric_of(const std::map<std::string, double>& metrics, const std::string& name) {
    const auto found = metrics.find(name);
    return found == metrics.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
  }

  /// The value by which unfinished cases are compared.
  double metric_now() const { return metric_of(at_.runner.metrics(task_), at_.plan.metric); }

  /// Rather than being stopped on the way by a signal or for lack of time.
  bool came_to_rung() const {
    if (claim_.aim != Aim::pause) return false;
    const auto metrics = at_.runner.metrics(task_);
    const auto epochs = metrics.find("epochs");
    return epochs != metrics.end() && epochs->second >= static_cast<double>(claim_.epochs);
  }

  SessionEnd pause() {
    const double value = metric_now();
    HalvingRecord record(at_.plan);
    record.update();
    record.report(case_.id, claim_.epochs, value);
    const auto reason = fmt::format("{} {:.6g} after {} epochs", at_.plan.metric, value, claim_.epochs);
    at_.ledger.end(case_.id, claim_.session, Ending::released, {.seconds = seconds() - spent_, .reason = reason});
    at_.console.info("case {} paused: {} ({})", case_.id, reason, description_of(case_));
    return SessionEnd::over;
  }

  SessionEnd end_without_work() {
    if (!is_root()) return SessionEnd::over;
    const auto notes = at_.ledger.notes(case_.id, claim_.session - 1);
    if (claim_.aim == Aim::park) {
      at_.ledger.end(case_.id, claim_.session, Ending::released, {.seconds = 0, .reason = notes.reason});
      return SessionEnd::over;
    }
    auto outcome = done();
    if (outcome.status == Status::done) {
      outcome.status = Status::halted;
      outcome.exit_code = static_cast<int>(ExitCode::stopped);
      outcome.message = fmt::format("ended early, others did better: {} {:.6g} after {:.0f} epochs", at_.plan.metric,
                                    metric_of(outcome.metrics, at_.plan.metric), metric_of(outcome.metrics, "epochs"));
    }
    outcome.seconds = notes.seconds;
    outcome.sessions = claim_.session - 1;
    settle(outcome);
    return SessionEnd::over;
  }

  SessionEnd release() {
    const int signal = parallel::StopSignals::pending();
    at_.ledger.end(case_.id, claim_.session, Ending::released,
                   {.seconds = seconds() - spent_, .reason = signal != 0 ? fmt::format("signal {}", signal) : "time"});
    at_.console.info("case {} stopped with a checkpoint ({})", case_.id, description_of(case_));
    return SessionEnd::stopped;
  }

  SessionEnd give_up() {
    if (!is_root()) return SessionEnd::over;
    const auto notes = at_.ledger.notes(case_.id, claim_.session - 1, claim_.retried);
    auto outcome = outcome_of(Status::dead, ExitCode::internal);
    outcome.seconds = at_.ledger.notes(case_.id, claim_.session - 1).seconds;
    outcome.sessions = claim_.session - 1;
    outcome.message = fmt::format("its process died {} times; {}", claim_.deaths, notes.reason);
    settle(outcome);
    return SessionEnd::over;
  }

  void settle(const Outcome& outcome) {
    if (!at_.ledger.finish(case_.id, claim_.session, outcome, claim_.retried)) {
      at_.console.warn("case {} was recorded by another worker before; that record stays", case_.id);
      return;
    }
    if (outcome.status == Status::done) {
      at_.console.info("case {} done in {} ({})", case_.id, duration_text(outcome.seconds), description_of(case_));
    } else {
      at_.console.warn("case {} {} ({}): {}", case_.id, name_of(outcome.status), description_of(case_),
                       outcome.message.substr(0, outcome.message.find('\n')));
    }
  }

  const Workplace& at_;
  const Claim& claim_;
  const Case& case_;
  std::filesystem::path folder_;
  Task task_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double spent_ = 0;         ///< s of work by the sessions before
  double spent_before_ = 0;  ///< of them: by those before the last retry
  bool begins_anew_ = false;
  bool lost_ = false;
  bool timed_out_ = false;
};

}  // namespace

std::string description_of(const Case& one) {
  std::string text;
  for (const auto& [key, value] : one.varied) text += fmt::format("{} = {}, ", key, value);
  return text + fmt::format("run.seed = {}", one.seed);
}

SessionEnd run_session(const Workplace& at, const Claim& claim, double wall_time) {
  return CaseSession(at, claim, wall_time).run();
}

}  // namespace rankflow::sweep
