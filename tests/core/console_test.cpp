#include "core/console.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rankflow {
namespace {

using testing::HasSubstr;

TEST(Texts, DurationsAndSizesReadWell) {
  EXPECT_EQ(duration_text(4.24), "4.2 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(3720), "1 h 02 min");
  EXPECT_EQ(bytes_text(340), "340 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(3.2e9), "2.98 GiB");
}

std::string spoken(bool speaking, bool quiet) {
  testing::internal::CaptureStderr();
  Console console(speaking, quiet);
  console.info("an {}", "information");
  console.warn("a warning");
  console.begin_progress("working");
  for (int i = 0; i <= 1000; ++i) console.progress(i / 1000.0, "note");
  console.end_progress();
  return testing::internal::GetCapturedStderr();
}

TEST(Console, SpeaksOnRankZeroOnly) {
  EXPECT_THAT(spoken(true, false), HasSubstr("an information"));
  EXPECT_EQ(spoken(false, false), "");
}

TEST(Console, QuietKeepsWarnings) {
  EXPECT_THAT(spoken(true, true), HasSubstr("warning: a warning"));
  EXPECT_THAT(spoken(true, true), testing::Not(HasSubstr("information")));
}

TEST(Console, ALogGetsAProgressLinePerTenthOfTheWork) {
  const std::string text = spoken(true, false);
  std::size_t lines = 0;
  for (auto at = text.find("working"); at != std::string::npos; at = text.find("working", at + 1)) ++lines;
  EXPECT_GE(lines, 9U);
  EXPECT_LE(lines, 11U);
  EXPECT_THAT(text, HasSubstr("left  note"));
}

TEST(Console, PaceCountsFromWhereTheWorkBegan) {
  Console console(false);
  EXPECT_EQ(console.pace().share, 0);
  console.begin_progress("working", 0.25);
  console.progress(0.75);
  EXPECT_DOUBLE_EQ(console.pace().share, 0.5);
  const double first = console.pace().seconds;
  EXPECT_GT(first, 0);
  console.progress(1.0);
  EXPECT_GT(console.pace().seconds, first);
  console.begin_progress("more work");
  EXPECT_EQ(console.pace().share, 0);
}

}  // namespace
}  // namespace rankflow
