#include <gmock/gmock.h>
#include <gtest/gtest.h>

TEST(Probe, Matches) {
  EXPECT_THAT("probe", testing::StartsWith("p"));
}

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
