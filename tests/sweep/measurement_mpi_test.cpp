#include "sweep/measurement.hpp"

#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "ledger_support.hpp"
#include "sweep/ledger.hpp"
#include "sweep/measured_ranks.hpp"

namespace rankflow::sweep {
namespace {

/// Share of the case that a group of so many ranks does in a moment.
using Speed = std::function<double(int ranks)>;

double faster_on_more(int ranks) {
  return 0.01 * ranks;
}
double slower_on_more(int ranks) {
  return 0.04 / ranks;
}

/// A sweep of one case whose ranks are to be measured, in a folder that all ranks know.
class MeasurementMpi : public testing::Test {
 protected:
  MeasurementMpi() {
    std::string name;
    if (world_.is_root()) name = folder_.emplace().path();
    world_.broadcast(name);
    plan_ = plan_of(name, 1);
    plan_.cases[0].ranks = ranks_to_measure;
  }
  ~MeasurementMpi() override { world_.barrier(); }

  ExitCode measure(const Runner& runner) const {
    Console console(false);
    return measure_ranks(plan_, runner, world_, console, {});
  }
  /// A runner that sleeps instead of computing.
  static Runner pretending(const Speed& speed) {
    return {.run =
                [speed](const Task& task, const parallel::Communicator& comm, Console& console) {
                  EXPECT_TRUE(std::filesystem::exists(task.configuration));
                  EXPECT_EQ(task.wall_time, seconds_of_a_trial);
                  console.begin_progress("pretending");
                  std::this_thread::sleep_for(std::chrono::milliseconds(50));
                  console.progress(speed(comm.size()));
                  return ExitCode::stopped;
                },
            .metrics = {}};
  }
  std::optional<MeasuredRanks> record() const {
    world_.barrier();
    return read_measured_ranks(plan_.directory);
  }
  bool leaves_nothing_else() const {
    world_.barrier();
    return !std::filesystem::exists(plan_.directory / "measure") && Ledger(plan_.directory).survey().empty();
  }

  parallel::Communicator world_ = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  std::optional<SweepFolder> folder_;
  Plan plan_;
};

TEST_F(MeasurementMpi, ChoosesByWhatItMeasures) {
  EXPECT_EQ(measure(pretending(faster_on_more)), ExitCode::done);
  ASSERT_TRUE(record());
  EXPECT_EQ(record()->ranks > 1, world_.size() > 1);
  EXPECT_EQ(record()->demand.processors, world_.size());
  EXPECT_EQ(record()->speeds.empty(), world_.size() == 1);
  EXPECT_TRUE(leaves_nothing_else());
}

TEST_F(MeasurementMpi, ChoosesOneRankWhereMoreAreSlower) {
  EXPECT_EQ(measure(pretending(slower_on_more)), ExitCode::done);
  ASSERT_TRUE(record());
  EXPECT_EQ(record()->ranks, 1);
  if (world_.size() == 1) return;
  ASSERT_GE(record()->speeds.size(), 2U);
  EXPECT_GT(record()->speeds[1].seconds, record()->speeds[0].seconds);
}

TEST_F(MeasurementMpi, ACaseThatFailsLeavesARecordThatSaysWhy) {
  const Runner failing{.run = [](const Task& /*task*/, const parallel::Communicator& /*comm*/,
                                 Console& /*console*/) -> ExitCode { throw NumericalError("it diverged"); },
                       .metrics = {}};
  EXPECT_EQ(measure(failing), ExitCode::done);
  ASSERT_TRUE(record());
  EXPECT_EQ(record()->ranks, 1);
  EXPECT_EQ(record()->note.find("it diverged") != std::string::npos, world_.size() > 1);
  EXPECT_TRUE(leaves_nothing_else());
}

TEST_F(MeasurementMpi, ASignalStopsItWithoutARecord) {
  const auto whole = pretending(faster_on_more);
  const Runner signalled{.run =
                             [&](const Task& task, const parallel::Communicator& comm, Console& console) {
                               if (world_.rank() == world_.size() - 1) std::raise(SIGUSR1);
                               return whole.run(task, comm, console);
                             },
                         .metrics = {}};
  const auto code = measure(signalled);
  if (world_.size() == 1) return;  // where nothing is measured
  // The last rank is idle until groups are as large as the world, or there is no group that it belongs to.
  const bool comes_to_work = world_.size() != 3;
  EXPECT_EQ(code, comes_to_work ? ExitCode::stopped : ExitCode::done);
  EXPECT_EQ(record().has_value(), !comes_to_work);
  EXPECT_TRUE(leaves_nothing_else());
}

TEST_F(MeasurementMpi, ARemovedFolderLeavesNoRecord) {
  const Runner removing{.run =
                            [&](const Task& /*task*/, const parallel::Communicator& /*comm*/, Console& console) {
                              console.begin_progress("pretending");
                              std::this_thread::sleep_for(std::chrono::milliseconds(50));
                              if (world_.is_root()) std::filesystem::remove_all(plan_.directory / "measure");
                              console.progress(0.5);
                              return ExitCode::stopped;
                            },
                        .metrics = {}};
  if (world_.size() == 1) return;  // where nothing is measured
  EXPECT_THROW(measure(removing), InputOutputError);
  EXPECT_FALSE(record());
}

}  // namespace
}  // namespace rankflow::sweep
