#include "sweep/heartbeat.hpp"

#include <algorithm>
#include <csignal>

#include "core/error.hpp"
#include "parallel/stop_signals.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::chrono::milliseconds between_looks{50};

std::chrono::steady_clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

Heartbeat::Heartbeat(Ledger& ledger, std::string id, std::int64_t session, Limits limits)
    : ledger_(ledger), id_(std::move(id)), session_(session), limits_(std::move(limits)) {
  // Signals are for the thread that computes: a new thread inherits what is blocked.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { live(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Heartbeat::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Heartbeat::live() {
  auto next_beat = start_ + duration_of(limits_.interval);
  std::unique_lock lock(mutex_);
  while (!ending_) {
    auto next = std::min(next_beat, Clock::now() + between_looks);  // a signal handler can wake nobody
    if (limits_.seconds > 0) {
      const auto end = start_ + duration_of(limits_.seconds);
      if (!timed_out_) next = std::min(next, end);
      if (timed_out_ && !told_) next = std::min(next, end + duration_of(limits_.grace));
    }
    if (wake_.wait_until(lock, next, [this] { return ending_; })) return;
    lock.unlock();
    const auto now = Clock::now();
    if (now >= next_beat) {
      beat();
      next_beat = now + duration_of(limits_.interval);
    }
    look_at_clock(now);
    look_at_signals();
    lock.lock();
  }
}

void Heartbeat::look_at_clock(Clock::time_point now) {
  if (limits_.seconds <= 0) return;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (seconds >= limits_.seconds && !timed_out_) {
    timed_out_ = true;
    parallel::StopSignals::request();
  }
  if (seconds >= limits_.seconds + limits_.grace && !told_) {
    told_ = true;
    if (limits_.stuck) limits_.stuck();
  }
}

void Heartbeat::look_at_signals() {
  if (signalled_ || parallel::StopSignals::pending() == 0) return;
  signalled_ = true;
  try {
    ledger_.end(id_, session_, Ending::signalled, {.seconds = 0, .reason = "signal"});
  } catch (const InputOutputError&) {
    // Then a kill before the checkpoint counts against the case.
  }
}

void Heartbeat::beat() {
  try {
    if (ledger_.beat(id_, session_)) return;
    lost_ = true;
    parallel::StopSignals::request();
  } catch (const InputOutputError&) {
    // The file system may be away for a while; if it is away for long, others take the case.
  }
}

}  // namespace rankflow::sweep
