#include "parallel/halt_monitor.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "parallel/batch_job.hpp"

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

/// The environment of a batch job that ends in so many seconds.
class JobEnding {
 public:
  explicit JobEnding(std::int64_t seconds) {
    const auto end = std::chrono::system_clock::now() + std::chrono::seconds(seconds);
    const auto since_1970 = std::chrono::duration_cast<std::chrono::seconds>(end.time_since_epoch());
    setenv("SLURM_JOB_END_TIME", std::to_string(since_1970.count()).c_str(), 1);
  }
  ~JobEnding() { unsetenv("SLURM_JOB_END_TIME"); }
  JobEnding(const JobEnding&) = delete;
  JobEnding& operator=(const JobEnding&) = delete;
};

TEST(HaltMonitor, StopsBeforeTheBatchJobEnds) {
  const Communicator comm;
  const JobEnding job(2);  // whole seconds: between 1 and 2 are left, a tenth of them for the checkpoint
  HaltMonitor monitor(comm, {.interval = 0.001});
  Halt halt = Halt::none;
  while (halt == Halt::none && monitor.seconds() < 10) {
    halt = monitor.poll();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_EQ(halt, Halt::stop);
  EXPECT_EQ(monitor.reason(), "the end of the batch job's time");
  EXPECT_GT(seconds_left_in_job().value(), 0.0);
  EXPECT_GT(monitor.seconds(), 0.8);
}

TEST(HaltMonitor, KnowsOnlyEndsThatAreNumbers) {
  EXPECT_FALSE(seconds_left_in_job().has_value());
  for (const char* text : {"", "0", "Unknown", "17x"}) {
    setenv("SLURM_JOB_END_TIME", text, 1);
    EXPECT_FALSE(seconds_left_in_job().has_value()) << text;
  }
  const JobEnding job(3600);
  EXPECT_NEAR(seconds_left_in_job().value(), 3600, 5);
  EXPECT_NEAR(work_seconds_left_in_job().value(), 3540, 5);  // a minute for the checkpoint
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
