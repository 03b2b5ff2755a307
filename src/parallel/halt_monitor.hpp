#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "parallel/communicator.hpp"
#include "parallel/stop_signals.hpp"

namespace rankflow::parallel {

enum class Halt : std::int64_t {
  none = 0,
  checkpoint,  ///< write a checkpoint, then go on
  stop         ///< write a checkpoint and end: a signal came, the wall-time budget is used up, or the job's is
};

/// Tells all ranks at the same call of poll() whether to go on. Rank 0 looks at the clock and at the signal
/// flag and broadcasts; so that short steps are not slowed down it also says how many polls may pass until
/// the next broadcast, about `interval` of wall time. In a batch job it also stops in time for the job's end
/// (parallel/batch_job.hpp), in case the signal that announces it does not arrive.
class HaltMonitor {
 public:
  struct Limits {
    double wall_time = 0.0;         ///< s since construction; 0: none
    double checkpoint_every = 0.0;  ///< s between checkpoints; 0: none
    double interval = 0.05;         ///< s between broadcasts
  };

  /// Catches the signals of StopSignals until destruction; at most one at a time.
  HaltMonitor(const Communicator& comm, const Limits& limits);
  /// `on_look` runs on rank 0 at each broadcast (progress line).
  void set_observer(std::function<void()> on_look) { on_look_ = std::move(on_look); }
  HaltMonitor(const HaltMonitor&) = delete;
  HaltMonitor& operator=(const HaltMonitor&) = delete;

  /// Collective: every rank calls it at the same step boundaries.
  Halt poll() {
    if (--polls_left_ > 0) return Halt::none;
    return look();
  }
  /// The verdict of the last look that was not Halt::none.
  Halt last() const noexcept { return last_; }
  /// Why the last poll returned Halt::stop: "signal 15", "wall-time budget of 60 s", "the end of the batch job's time".
  const std::string& reason() const noexcept { return reason_; }
  /// Restarts the interval between checkpoints; call after writing one.
  void checkpoint_written();
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  Halt look();
  Halt decide() const;
  std::string stopped_by() const;

  StopSignals signals_;
  const Communicator& comm_;
  Limits limits_;
  std::optional<double> job_seconds_;  ///< s since construction that the batch job leaves for work
  std::function<void()> on_look_;
  std::int64_t polls_left_ = 1;
  std::int64_t polls_between_ = 1;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_look_ = start_;
  Clock::time_point last_checkpoint_ = start_;
  Halt last_ = Halt::none;
  std::string reason_;
};

}  // namespace rankflow::parallel
