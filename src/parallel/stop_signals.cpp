#include "parallel/stop_signals.hpp"

#include <atomic>

namespace rankflow::parallel {
namespace {

/// A signal handler can reach nothing but a static flag.
volatile std::sig_atomic_t pending_signal = 0;
std::atomic<bool> stop_requested = false;
int depth = 0;

extern "C" void note_signal(int signal) {
  pending_signal = signal;
}

}  // namespace

StopSignals::StopSignals() {
  if (depth++ == 0) {
    pending_signal = 0;
    stop_requested = false;
  }
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;  // a checkpoint under way on a network file system must not be interrupted
  for (std::size_t i = 0; i < caught.size(); ++i) sigaction(caught[i], &action, &before_[i]);
}

StopSignals::~StopSignals() {
  --depth;
  for (std::size_t i = 0; i < caught.size(); ++i) sigaction(caught[i], &before_[i], nullptr);
}

int StopSignals::pending() noexcept {
  return pending_signal;
}

void StopSignals::note(int signal) noexcept {
  pending_signal = signal;
}

void StopSignals::request() noexcept {
  stop_requested = true;
}

bool StopSignals::requested() noexcept {
  return stop_requested;
}

void StopSignals::forget_request() noexcept {
  stop_requested = false;
}

}  // namespace rankflow::parallel
