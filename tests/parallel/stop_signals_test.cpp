#include "parallel/stop_signals.hpp"

#include <gtest/gtest.h>

#include "parallel/halt_monitor.hpp"

namespace rankflow::parallel {
namespace {

Halt first_verdict(HaltMonitor& monitor) {
  for (int i = 0; i < 10; ++i)
    if (const Halt halt = monitor.poll(); halt != Halt::none) return halt;
  return Halt::none;
}

TEST(StopSignals, TheOutermostBeginsWithoutASignal) {
  {
    const StopSignals signals;
    std::raise(SIGTERM);
    EXPECT_EQ(StopSignals::pending(), SIGTERM);
  }
  const StopSignals next;
  EXPECT_EQ(StopSignals::pending(), 0);
}

TEST(StopSignals, AMonitorWithinSeesWhatCameBeforeIt) {
  const StopSignals signals;
  const Communicator comm;
  {
    HaltMonitor monitor(comm, {});
    EXPECT_EQ(first_verdict(monitor), Halt::none);
  }
  std::raise(SIGUSR1);
  HaltMonitor monitor(comm, {});
  EXPECT_EQ(first_verdict(monitor), Halt::stop);
  EXPECT_EQ(monitor.reason(), "signal 10");
}

TEST(StopSignals, WhatAMonitorCaughtIsSeenAfterIt) {
  const StopSignals signals;
  const Communicator comm;
  {
    const HaltMonitor monitor(comm, {});
    std::raise(SIGINT);
  }
  EXPECT_EQ(StopSignals::pending(), SIGINT);
  std::raise(SIGTERM);  // still caught
  EXPECT_EQ(StopSignals::pending(), SIGTERM);
}

TEST(StopSignals, ARequestStopsTheWorkAndIsNoSignal) {
  const StopSignals signals;
  const Communicator comm;
  StopSignals::request();
  {
    HaltMonitor monitor(comm, {});
    EXPECT_EQ(first_verdict(monitor), Halt::stop);
    EXPECT_EQ(monitor.reason(), "request of the sweep");
  }
  EXPECT_EQ(StopSignals::pending(), 0);
  StopSignals::forget_request();
  HaltMonitor next(comm, {});
  EXPECT_EQ(first_verdict(next), Halt::none);
}

}  // namespace
}  // namespace rankflow::parallel
