#include "sweep/measurement_folder.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger_support.hpp"
#include "sweep/owner.hpp"
#include "sweep/shared_folder.hpp"

namespace rankflow::sweep {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
constexpr double patience = 1000;

class MeasurementFolder : public testing::Test {
 protected:
  /// Whose last trial was on so many ranks.
  std::filesystem::path measurement(int ranks, bool dead) const {
    auto folder = make_measurement_folder(sweep_.path());
    for (int size = 1; size <= ranks; size *= 2) mark_trial(folder, record(size));
    if (!dead) return folder;
    auto owner = Owner::myself();
    owner.started -= 1;  // another process of our number
    std::filesystem::remove(folder / "owner.toml");
    SharedFolder(folder).create("owner.toml", owner.text());
    return folder;
  }
  static MeasuredRanks record(int failing) {
    return {.ranks = 1,
            .speeds = {{failing, never}},
            .demand = {.cases = 1, .processors = 4, .workers = 0},
            .case_id = "0123456789abcdef",
            .host = "here",
            .finished = "2024-05-01T12:00:00Z",
            .note = ""};
  }
  SweepFolder sweep_;
};

TEST_F(MeasurementFolder, IsOneMeasurementsOwn) {
  const auto mine = make_measurement_folder(sweep_.path());
  const auto other = make_measurement_folder(sweep_.path());
  mark_trial(other, record(1));
  remove_measurement_folder(mine);
  EXPECT_FALSE(std::filesystem::exists(mine));
  EXPECT_TRUE(is_trial_marked(other, 1));
  remove_measurement_folder(other);
  EXPECT_FALSE(std::filesystem::exists(other.parent_path()));
}

TEST_F(MeasurementFolder, TwoDeathsOnOneSizeAreAFailure) {
  const auto mine = make_measurement_folder(sweep_.path());
  const auto living = measurement(2, false);
  measurement(2, true);
  measurement(4, true);
  EXPECT_FALSE(record_after_two_deaths(mine, patience));
  measurement(2, true);
  const auto found = record_after_two_deaths(mine, patience);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->speeds.back().ranks, 2);
  EXPECT_EQ(found->note, "with 2 ranks a measurement died, twice");
  remove_dead_measurements(mine, patience);
  EXPECT_FALSE(record_after_two_deaths(mine, patience));
  EXPECT_TRUE(is_trial_marked(living, 2));
}

}  // namespace
}  // namespace rankflow::sweep
