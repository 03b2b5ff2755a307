#include "parallel/halt_monitor.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "parallel/batch_job.hpp"

namespace rankflow::parallel {

HaltMonitor::HaltMonitor(const Communicator& comm, const Limits& limits)
    : comm_(comm), limits_(limits), job_seconds_(work_seconds_left_in_job()) {}

double HaltMonitor::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void HaltMonitor::checkpoint_written() {
  last_checkpoint_ = Clock::now();
}

Halt HaltMonitor::decide() const {
  if (StopSignals::pending() != 0 || StopSignals::requested()) return Halt::stop;
  if (limits_.wall_time > 0 && seconds() >= limits_.wall_time) return Halt::stop;
  if (job_seconds_ && seconds() >= *job_seconds_) return Halt::stop;
  const double since_checkpoint = std::chrono::duration<double>(Clock::now() - last_checkpoint_).count();
  if (limits_.checkpoint_every > 0 && since_checkpoint >= limits_.checkpoint_every) return Halt::checkpoint;
  return Halt::none;
}

std::string HaltMonitor::stopped_by() const {
  if (StopSignals::pending() != 0) return fmt::format("signal {}", StopSignals::pending());
  if (StopSignals::requested()) return "request of the sweep";
  if (job_seconds_ && seconds() >= *job_seconds_) return "the end of the batch job's time";
  return fmt::format("wall-time budget of {} s", limits_.wall_time);
}

Halt HaltMonitor::look() {
  // The signal may have reached another rank than 0 only (a launcher forwards it to all, `kill` to one).
  std::array<std::int64_t, 2> wishes{StopSignals::pending(), StopSignals::requested() ? 1 : 0};
  comm_.maximum(std::span<std::int64_t>(wishes));
  if (wishes[0] != 0) StopSignals::note(static_cast<int>(wishes[0]));
  if (wishes[1] != 0) StopSignals::request();

  std::array<std::int64_t, 2> verdict{static_cast<std::int64_t>(Halt::none), 1};
  if (comm_.is_root()) {
    const auto now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - last_look_).count();
    last_look_ = now;
    const double ideal = static_cast<double>(polls_between_) * limits_.interval / std::max(elapsed, 1e-9);
    // At most a doubling, so that one fast stretch cannot postpone the next look for long.
    verdict = {static_cast<std::int64_t>(decide()),
               std::clamp(static_cast<std::int64_t>(std::min(ideal, 1e9)), std::int64_t{1}, 2 * polls_between_)};
    if (on_look_) on_look_();
  }
  comm_.broadcast(std::span<std::int64_t>(verdict));
  polls_between_ = polls_left_ = verdict[1];
  const auto halt = static_cast<Halt>(verdict[0]);
  if (halt != Halt::none) last_ = halt;
  if (halt == Halt::stop) reason_ = stopped_by();
  return halt;
}

}  // namespace rankflow::parallel
