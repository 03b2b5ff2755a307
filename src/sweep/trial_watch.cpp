#include "sweep/trial_watch.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace rankflow::sweep {

TrialWatch::TrialWatch(double seconds, std::function<std::string()> late)
    : error_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
  // Signals are for the thread that computes: a new thread inherits what is blocked.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this, seconds, late = std::move(late)] {
    std::unique_lock lock(mutex_);
    if (!wake_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return ending_; })) {
      ::dprintf(error_, "%s\n", late().c_str());
      ::kill(::getpid(), SIGKILL);
    }
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TrialWatch::~TrialWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
  ::close(error_);
}

}  // namespace rankflow::sweep
