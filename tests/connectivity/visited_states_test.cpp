#include "connectivity/visited_states.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two trials of 4 steps, rank 1, one input.
struct Example {
  std::vector<double> z = {1, 2, 4, 7, -1, -3, -4, -4.5};
  std::vector<double> u = {1, 0, 2, 5, 0, 4, 0, 0};
  std::vector<std::uint8_t> mask{};

  Trajectories given() const {
    return {.trials = 2, .steps = 4, .rank = 1, .inputs = 1, .latents = z, .signals = u, .mask = mask};
  }
};

std::string refusal(const Example& example, double alpha) {
  try {
    visited_states(example.given(), alpha);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(VisitedStates, DriveIsWhatTheStepAsksFor) {
  const Example example;
  const auto states = visited_states(example.given(), 0.5, config::InputPath::raw);
  EXPECT_EQ(states.rows, 6);
  EXPECT_EQ(states.dropped, 0);
  EXPECT_THAT(states.z, ElementsAre(1, 2, 4, -1, -3, -4));
  EXPECT_THAT(states.v, ElementsAre(1, 0, 2, 0, 4, 0));
  // (z' - z/2) / (1/2)
  EXPECT_THAT(states.y, ElementsAre(3, 6, 10, -5, -5, -5));
}

TEST(VisitedStates, InputsFollowTheLeakFromTheStartOfEachTrial) {
  const auto states = visited_states(Example().given(), 0.5);
  EXPECT_THAT(states.v, ElementsAre(0, 0.5, 0.25, 0, 0, 2));
}

TEST(VisitedStates, PairsWithMaskedRowsOrNansAreDropped) {
  Example example;
  example.z[2] = std::nan("");
  EXPECT_THAT(visited_states(example.given(), 0.5).z, ElementsAre(1, -1, -3, -4));
  example.mask = {1, 1, 1, 1, 1, 1, 1, 0};
  const auto states = visited_states(example.given(), 0.5);
  EXPECT_THAT(states.z, ElementsAre(1, -1, -3));
  EXPECT_EQ(states.dropped, 3);
}

TEST(VisitedStates, AMaskedInputDoesNotSpoilLaterOnesUnlessItIsNotANumber) {
  Example example;
  example.mask = {0, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_THAT(visited_states(example.given(), 0.5).v, ElementsAre(0.5, 0.25, 0, 0, 2));
  example.u[0] = std::nan("");
  EXPECT_THAT(visited_states(example.given(), 0.5).z, ElementsAre(-1, -3, -4));
}

TEST(VisitedStatesErrors, NameWhatIsWrong) {
  const Example example;
  for (const double alpha : {0.0, -0.1, 1.5, std::nan("")}) {
    EXPECT_THROW(visited_states(example.given(), alpha), ConfigurationError);
    EXPECT_THAT(refusal(example, alpha), HasSubstr("must lie in (0, 1]"));
  }
  Example broken = example;
  broken.z.pop_back();
  EXPECT_THAT(refusal(broken, 0.5), HasSubstr("latents hold 7 values"));
  broken = example;
  broken.u.pop_back();
  EXPECT_THAT(refusal(broken, 0.5), HasSubstr("inputs hold 7 values"));
  broken = example;
  broken.mask = {1, 1};
  EXPECT_THAT(refusal(broken, 0.5), HasSubstr("mask holds 2 values"));
  broken = example;
  broken.z[5] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(refusal(broken, 0.5), HasSubstr("latents of trial 1, step 1 reach inf: the dynamics are unstable"));
  broken.z[5] = -1e200;
  EXPECT_THAT(refusal(broken, 0.5), HasSubstr("reach -1e+200"));
  broken = example;
  broken.z.assign(8, 0.3);
  EXPECT_THAT(refusal(broken, 0.5), HasSubstr("latents never change"));
  broken = example;
  broken.mask = {1, 1, 1, 0, 0, 0, 0, 0};
  EXPECT_THAT(refusal(broken, 0.5), HasSubstr("2 usable rows of latents are too few for rank 1 and 1 inputs"));
}

}  // namespace
}  // namespace rankflow::connectivity
