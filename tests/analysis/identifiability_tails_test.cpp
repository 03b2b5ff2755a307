// Tail estimates: intervals hold the truth as often as they say, heavy and light tails are told apart.
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/identifiability_tails.hpp"
#include "parallel/draws.hpp"

namespace rankflow::analysis {
namespace {

constexpr int repetitions = 200;
/// Of 200 intervals at 95 %, so many hold the truth at least, but for one series in a thousand (binomial).
constexpr int least_holding = 179;

const parallel::Stream stream(3, parallel::Purpose::test);
const parallel::Communicator alone;

std::vector<double> uniforms(std::size_t count, int repetition, std::uint32_t index) {
  std::vector<double> values(count);
  parallel::uniform(stream, {.trial = static_cast<std::uint32_t>(repetition), .index = index}, 0, std::span(values));
  return values;
}

std::vector<double> normals_of(std::size_t count, int repetition, std::uint32_t index) {
  std::vector<double> values(count);
  parallel::normal(stream, {.trial = static_cast<std::uint32_t>(repetition), .index = index}, 0, std::span(values));
  return values;
}

std::vector<double> pareto(std::size_t count, double index, int repetition) {
  auto values = uniforms(count, repetition, 0);
  for (double& value : values) value = std::pow(value, -1 / index);
  return values;
}

/// Student-t as a normal over the root of a Gamma.
std::vector<double> student(std::size_t count, double freedom, int repetition) {
  auto values = normals_of(count, repetition, 1);
  std::vector<double> gamma(count);
  parallel::gamma(stream, {.trial = static_cast<std::uint32_t>(repetition), .index = 2}, 0, freedom / 2,
                  std::span(gamma));
  for (std::size_t i = 0; i < count; ++i) values[i] /= std::sqrt(gamma[i] / (freedom / 2));
  return values;
}

TailEstimate tail_of(const std::vector<double>& values) {
  return estimate_tail(values, std::ssize(values), alone);
}

int count_holding(double truth, const std::function<std::vector<double>(int)>& draw) {
  int holding = 0;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const auto tail = tail_of(draw(repetition));
    holding += tail.lower < truth && truth < tail.upper ? 1 : 0;
  }
  return holding;
}

TEST(IdentifiabilityTails, IntervalsOfPowersHoldTheIndex) {
  for (const double index : {0.8, 2.0, 6.0})
    EXPECT_GE(count_holding(index, [&](int k) { return pareto(3000, index, k); }), least_holding) << index;
  EXPECT_LT(count_holding(2.8, [&](int k) { return pareto(3000, 2.0, k); }), least_holding) << "control";
}

TEST(IdentifiabilityTails, IntervalsOfStudentsHoldTheirFreedom) {
  for (const double freedom : {1.5, 2.0, 3.0})
    EXPECT_GE(count_holding(freedom, [&](int k) { return student(5000, freedom, k); }), least_holding) << freedom;
  EXPECT_LT(count_holding(3.0, [&](int k) { return student(5000, 1.5, k); }), least_holding) << "control";
}

TEST(IdentifiabilityTails, PowersAreToldFromOtherTails) {
  int heavy = 0;
  int normal = 0;
  int bounded = 0;
  for (int repetition = 0; repetition < 40; ++repetition) {
    heavy += tail_of(student(20000, 2.0, repetition)).kind == TailKind::heavy ? 1 : 0;
    normal += tail_of(normals_of(20000, repetition, 4)).kind == TailKind::heavy ? 1 : 0;
    bounded += tail_of(uniforms(20000, repetition, 5)).kind == TailKind::heavy ? 1 : 0;
  }
  // Extreme-value index 1/2 with standard error 1.12 / sqrt(142) = 0.094: a lower end below 0 is 3.4 errors away.
  EXPECT_GE(heavy, 38);
  EXPECT_EQ(normal, 0) << "its index is 0 and approached from below";
  EXPECT_EQ(bounded, 0) << "its index is -1";
}

TEST(IdentifiabilityTails, LightTailsSayHowHeavyTheyMayBe) {
  const auto tail = tail_of(normals_of(20000, 0, 4));
  EXPECT_EQ(tail.kind, TailKind::light);
  EXPECT_GT(tail.index_at_least(), 3.0);
  EXPECT_TRUE(std::isinf(tail_of(uniforms(20000, 0, 5)).index_at_least()));
}

TEST(IdentifiabilityTails, WhatCannotBeEstimatedIsUndecided) {
  for (const auto& values : {std::vector<double>(1000, 2.0), std::vector<double>(1000, 0.0), pareto(399, 2.0, 0)}) {
    const auto tail = tail_of(values);
    EXPECT_EQ(tail.kind, TailKind::undecided);
    EXPECT_TRUE(std::isnan(tail.index));
    EXPECT_EQ(tail.exceedances, 0);
  }
  EXPECT_NE(tail_of(pareto(400, 2.0, 0)).kind, TailKind::undecided) << "control";
}

TEST(IdentifiabilityTails, LargestMagnitudesDescend) {
  EXPECT_EQ(largest_magnitudes(std::vector<double>{1, -5, 3, 0}, 3, alone), (std::vector<double>{5, 3, 1}));
  EXPECT_EQ(largest_magnitudes(std::vector<double>{1, -5}, 3, alone), (std::vector<double>{5, 1}));
}

}  // namespace
}  // namespace rankflow::analysis
