#include "core/suggestion.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace rankflow {
namespace {

const std::vector<std::string> keys{"neurons", "rank", "activation", "tau", "tau_minimum"};

TEST(Nearest, FindsMisspellings) {
  EXPECT_EQ(nearest("neuron", keys), "neurons");
  EXPECT_EQ(nearest("actvation", keys), "activation");
  EXPECT_EQ(nearest("tau-minimum", keys), "tau_minimum");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest("learning_rate", keys), "");
  EXPECT_EQ(nearest("xyz", keys), "") << "replacing every letter of a short word is no misspelling";
  EXPECT_EQ(did_you_mean("learning_rate", keys), "");
}

TEST(Nearest, MakesASentence) {
  EXPECT_EQ(did_you_mean("rnak", keys), " Did you mean 'rank'?");
}

}  // namespace
}  // namespace rankflow
