#include "core/error.hpp"

#include <gtest/gtest.h>

namespace rankflow {
namespace {

TEST(Error, CollectsContextFromTheInsideOut) {
  try {
    with_context("running a.toml", [] {
      with_context("reading net.h5", [] { throw InputDataError("dataset '{}' has shape {}", "/network/m", 3); });
    });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_data);
    EXPECT_EQ(error.report(), "dataset '/network/m' has shape 3\n  while reading net.h5\n  while running a.toml");
  }
}

TEST(Error, ContextPassesValuesThrough) {
  EXPECT_EQ(with_context("adding", [] { return 2 + 3; }), 5);
}

TEST(Error, ExitCodesAreThoseOfTheInterface) {
  EXPECT_EQ(static_cast<int>(ConfigurationError("x").code()), 2);
  EXPECT_EQ(static_cast<int>(InputDataError("x").code()), 3);
  EXPECT_EQ(static_cast<int>(NumericalError("x").code()), 4);
  EXPECT_EQ(static_cast<int>(InputOutputError("x").code()), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::stopped), 75);
}

}  // namespace
}  // namespace rankflow
