// Each condition for a unique connectivity is met where it should be, and not met where it is broken.
#include <gtest/gtest.h>

#include "analysis/identifiability_file.hpp"
#include "analysis/identifiability_support.hpp"

namespace rankflow::analysis {
namespace {

struct Case {
  model::Network<double> network;
  connectivity::VisitedStates states;
};

Case sound_case(const NetworkPlan& plan, std::int64_t rows = 400, double noise = 0.0) {
  Case made{drawn_network(plan), {}};
  made.states = drawn_states(made.network, rows, noise);
  add_drive(made.network, made.states);
  return made;
}

Verdict verdict_of(const Case& made, const std::string& name) {
  return condition_named(analyzed(made.network, made.states, {}), name).verdict;
}

TEST(IdentifiabilityConditions, LoadingsSpanTheLatents) {
  auto made = sound_case({});
  EXPECT_EQ(verdict_of(made, "loadings span the latents"), Verdict::met);
  for (std::int64_t i = 0; i < made.network.neurons(); ++i) made.network.m.at(i, 1) = 2 * made.network.m.at(i, 0);
  EXPECT_EQ(verdict_of(made, "loadings span the latents"), Verdict::not_met);
}

TEST(IdentifiabilityConditions, LatentsSpanTheirSpace) {
  auto made = sound_case({});
  EXPECT_EQ(verdict_of(made, "latents span their space"), Verdict::met);
  for (std::size_t t = 0; t < made.states.z.size(); t += 2) made.states.z[t + 1] = 0.5 - made.states.z[t];
  EXPECT_EQ(verdict_of(made, "latents span their space"), Verdict::not_met);
}

TEST(IdentifiabilityConditions, InputsVaryByThemselves) {
  auto made = sound_case({.inputs = 2});
  EXPECT_EQ(verdict_of(made, "inputs vary by themselves"), Verdict::met);
  EXPECT_EQ(verdict_of(sound_case({}), "inputs vary by themselves"), Verdict::not_applicable);
  auto constant = sound_case({.inputs = 2});
  for (std::size_t t = 0; t < constant.states.v.size(); t += 2) constant.states.v[t] = 0.7;
  EXPECT_EQ(verdict_of(constant, "inputs vary by themselves"), Verdict::not_met);
  for (std::size_t t = 0; t < made.states.v.size(); t += 2)
    made.states.v[t] = 3 * made.states.z[t] - made.states.z[t + 1] + 2 * made.states.v[t + 1];
  EXPECT_EQ(verdict_of(made, "inputs vary by themselves"), Verdict::not_met) << "told by latents and the other input";
}

TEST(IdentifiabilityConditions, RowsAndRank) {
  EXPECT_EQ(verdict_of(sound_case({}, 400), "one row per neuron"), Verdict::met);
  EXPECT_EQ(verdict_of(sound_case({}, 100), "one row per neuron"), Verdict::not_met);
  // Few neurons of different slopes: as many directions as neurons.
  EXPECT_EQ(verdict_of(sound_case({.neurons = 5, .bias = true}), "features of full rank"), Verdict::met);
  EXPECT_EQ(verdict_of(sound_case({.neurons = 1000}), "features of full rank"), Verdict::not_met);
}

TEST(IdentifiabilityConditions, NoiseAndUnexplainedDrive) {
  const auto quiet = sound_case({.neurons = 5, .bias = true}),
             noisy = sound_case({.neurons = 5, .bias = true}, 400, 0.05);
  const auto report = [](const Case& made) { return analyzed(made.network, made.states, {.penalty = 1e-9}); };
  EXPECT_EQ(condition_named(report(quiet), "free of noise").verdict, Verdict::met);
  EXPECT_EQ(condition_named(report(noisy), "free of noise").verdict, Verdict::not_met);
  EXPECT_EQ(condition_named(report(noisy), "drive explained").verdict, Verdict::met);
  auto wrong = sound_case({.neurons = 5, .bias = true});
  for (double& y : wrong.states.y) y += std::cos(20 * y);
  EXPECT_EQ(condition_named(report(wrong), "drive explained").verdict, Verdict::not_met);
}

TEST(IdentifiabilityConditions, OriginsOfLatents) {
  const auto made = sound_case({});
  const auto verdict = [&](const DataOrigin& origin, const std::string& name) {
    return condition_named(analyze_identifiability({made.network, made.states, origin}, {}, {}), name).verdict;
  };
  EXPECT_EQ(verdict({.description = "a"}, "loadings are given"), Verdict::met);
  EXPECT_EQ(verdict({.description = "a", .given_loadings = false}, "loadings are given"), Verdict::not_met);
  EXPECT_EQ(verdict({.description = "a"}, "rows one step apart"), Verdict::met);
  EXPECT_EQ(verdict({.description = "a", .exact_steps = false}, "rows one step apart"), Verdict::not_met);
}

TEST(IdentifiabilityConditions, TextSaysWhatIsAGuess) {
  const auto many = sound_case({.neurons = 1000});
  const auto text = identifiability_text(analyzed(many.network, many.states, {}));
  EXPECT_NE(text.find("n is not unique"), std::string::npos) << text;
  EXPECT_NE(text.find("are a guess"), std::string::npos) << text;
  EXPECT_EQ(text.find("the data have one n"), std::string::npos);
  // Three neurons, seen without noise.
  const auto few = sound_case({.neurons = 3, .rank = 1, .bias = true}, 300);
  const auto unique = identifiability_text(analyzed(few.network, few.states, {.penalty = 1e-10}));
  EXPECT_NE(unique.find("all are met: the data have one n"), std::string::npos) << unique;
}

TEST(IdentifiabilityConditions, WhatDoesNotBelongTogetherIsRefused) {
  const auto made = sound_case({});
  const auto other = drawn_network({.rank = 3});
  try {
    analyzed(other, made.states, {});
    FAIL() << "rank 2 latents taken for a network of rank 3";
  } catch (const InputDataError& error) {
    EXPECT_NE(std::string(error.what()).find("latents of rank 2, but the network's m has rank 3"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(analyzed(drawn_network({.inputs = 1}), made.states, {}), InputDataError);
  auto broken = sound_case({});
  broken.states.z[7] = std::nan("");
  EXPECT_THROW(analyzed(broken.network, broken.states, {}), InputDataError);
}

}  // namespace
}  // namespace rankflow::analysis
