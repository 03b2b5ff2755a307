#include "parallel/halt_monitor.hpp"

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

namespace rankflow::parallel {
namespace {

/// Polls until something happens or a bound is reached.
Halt poll_until(HaltMonitor& monitor, std::int64_t polls) {
  for (std::int64_t i = 0; i < polls; ++i)
    if (const Halt halt = monitor.poll(); halt != Halt::none) return halt;
  return Halt::none;
}

TEST(HaltMonitor, IsQuietWithoutReason) {
  const Communicator comm;
  HaltMonitor monitor(comm, {});
  EXPECT_EQ(poll_until(monitor, 100000), Halt::none);
}

TEST(HaltMonitor, SignalStops) {
  const Communicator comm;
  for (const int signal : {SIGTERM, SIGUSR1, SIGUSR2, SIGINT}) {
    HaltMonitor monitor(comm, {});
    std::raise(signal);
    EXPECT_EQ(poll_until(monitor, 10), Halt::stop);
    EXPECT_EQ(monitor.last(), Halt::stop);
    EXPECT_EQ(monitor.reason(), "signal " + std::to_string(signal));
  }
}

TEST(HaltMonitor, SignalIsNotInheritedByTheNextMonitor) {
  const Communicator comm;
  {
    HaltMonitor monitor(comm, {});
    std::raise(SIGTERM);
  }
  HaltMonitor next(comm, {});
  EXPECT_EQ(poll_until(next, 10), Halt::none);
}

TEST(HaltMonitor, WallTimeStopsAndCheckpointsComeBetween) {
  const Communicator comm;
  HaltMonitor monitor(comm, {.wall_time = 0.3, .checkpoint_every = 0.1, .interval = 0.001});
  int checkpoints = 0;
  Halt halt = Halt::none;
  while (halt != Halt::stop && monitor.seconds() < 10) {
    halt = monitor.poll();
    if (halt == Halt::checkpoint) {
      ++checkpoints;
      monitor.checkpoint_written();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_EQ(halt, Halt::stop);
  EXPECT_GE(checkpoints, 1);
  EXPECT_LE(checkpoints, 3);
  EXPECT_EQ(monitor.reason(), "wall-time budget of 0.3 s");
}

TEST(HaltMonitor, LooksSeldomWhenPollsAreFast) {
  const Communicator comm;
  int looks = 0;
  HaltMonitor monitor(comm, {});
  monitor.set_observer([&] { ++looks; });
  poll_until(monitor, 1000000);
  EXPECT_GE(looks, 2);
  EXPECT_LT(looks, 1000);
}

}  // namespace
}  // namespace rankflow::parallel
