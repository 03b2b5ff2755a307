#include "parallel/failure_guard.hpp"

#include <new>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rankflow::parallel {
namespace {

int guarded(const std::function<ExitCode()>& action, std::string& reported) {
  return run_guarded(Communicator(), action, [&](const std::string& text) { reported = text; });
}

TEST(FailureGuard, PassesTheExitCodeOfTheAction) {
  std::string reported;
  EXPECT_EQ(guarded([] { return ExitCode::stopped; }, reported), 75);
  EXPECT_EQ(reported, "");
}

TEST(FailureGuard, ReportsAnErrorWithItsContexts) {
  std::string reported;
  const int code = guarded(
      []() -> ExitCode {
        return with_context("reading a.h5",
                            []() -> ExitCode { throw InputDataError("dataset '{}' is missing", "/m"); });
      },
      reported);
  EXPECT_EQ(code, 3);
  EXPECT_EQ(reported, "dataset '/m' is missing\n  while reading a.h5");
}

TEST(FailureGuard, TellsWhatToDoWhenMemoryRunsOut) {
  std::string reported;
  EXPECT_EQ(guarded([]() -> ExitCode { throw std::bad_alloc(); }, reported), 1);
  EXPECT_THAT(reported, testing::HasSubstr("--dry-run"));
}

}  // namespace
}  // namespace rankflow::parallel
