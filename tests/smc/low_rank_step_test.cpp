#include "smc/low_rank_step.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "low_rank_step_support.hpp"
#include "model/activation.hpp"
#include "smc/low_rank_step_kernels.hpp"

namespace rankflow::smc::testing {
namespace {

/// Sizes on both sides of the compiled ones, of a tile of neurons, of a vector, and of the rows held at once.
struct Sizes {
  std::int64_t neurons, states, rank, lanes, steps;
};
constexpr Sizes sizes[] = {{1, 1, 1, 1, 1},   {2, 1, 1, 64, 3},    {7, 2, 2, 17, 2},  {40, 3, 3, 50, 5},
                           {33, 4, 4, 5, 2},  {1025, 3, 3, 33, 1}, {20, 5, 3, 64, 2}, {13, 19, 17, 9, 2},
                           {9, 2, 11, 31, 2}, {3, 3, 3, 3, 300}};

template <class T>
void expect_oracle() {
  for (const Activation activation : every_activation)
    for (const Sizes& s : sizes) {
      const Case<T> c(activation, s.neurons, s.states, s.rank, s.lanes, s.steps);
      const Oracle expected(c);
      expect_near<T>(step_of(c), expected.out, s.lanes, "out, " + c.label());
      expect_near<T>(state_adjoint_of(c), expected.zeta, s.lanes, "adjoint of zeta, " + c.label());
      const WeightSums<T> found = weight_adjoints_of(c);
      expect_near<T>(found.m, expected.m, block_lanes, "adjoint of m, " + c.label());
      expect_near<T>(found.n, expected.n, block_lanes, "adjoint of n, " + c.label());
      expect_near<T>(found.bias, expected.bias, block_lanes, "adjoint of bias, " + c.label());
      if (::testing::Test::HasFatalFailure()) return;
    }
}

TEST(LowRankStep, EqualsItsDefinitionInDouble) {
  expect_oracle<double>();
}
TEST(LowRankStep, EqualsItsDefinitionInSingle) {
  expect_oracle<float>();
}

TEST(LowRankStep, ToleranceOfTheDefinitionWouldMissNothing) {
  for (const Activation activation : every_activation) {
    const Case<float> c(activation, 40, 3, 3, 50, 5);
    Case<float> other(activation, 40, 3, 3, 50, 5);
    for (std::int64_t i = 0; i < 40; ++i) other.m[other.size(3 * i)] *= 1.01F;
    const Oracle expected(c);
    const Numbers<float> out = step_of(other);
    std::int64_t beyond = 0;
    for (std::size_t k = 0; k < out.size(); ++k)
      if (static_cast<std::int64_t>(k) % block_lanes < c.lanes &&
          std::fabs(static_cast<double>(out[k]) - expected.out[k].value) >
              expected.out[k].units * static_cast<double>(std::numeric_limits<float>::epsilon()))
        ++beyond;
    EXPECT_GT(beyond, 100) << c.label();  // of 150
  }
}

template <class T>
struct KernelResults {
  KernelResults(const StepKernels<T>& kernels, const Case<T>& c)
      : out(step_of(c)),
        zeta(c.size(c.weights.states * block_lanes)),
        zeta_of_both(zeta),
        sums(c.size(c.weights.neurons * (c.weights.states + c.weights.rank + 1)) * xsimd::batch<T>::size),
        weights(c) {
    const PreparedStep<T> step(c.weights);
    const T* last = c.zeta.back().data();
    kernels.forward(step, last, c.lanes, out.data());
    kernels.adjoint(step, last, c.out_adjoint.back().data(), c.lanes, zeta.data());
    kernels.weight_adjoints(step, c.records, weights.views());
    for (const auto& record : c.records) {
      std::fill(zeta_of_both.begin(), zeta_of_both.end(), T(0));
      kernels.both(step, record, zeta_of_both.data(), sums.data());
    }
  }
  bool operator==(const KernelResults&) const = default;
  Numbers<T> out, zeta, zeta_of_both, sums;
  WeightSums<T> weights;
};

template <class T, class Phi>
bool expect_equal_bits(Activation activation, std::int64_t states, std::int64_t rank, std::int64_t lanes) {
  const StepKernels<T> general = step_kernels<T, Phi>(0, 0);
  const StepKernels<T> compiled = step_kernels<T, Phi>(states, rank);
  if (general.forward == compiled.forward) return false;
  const Case<T> c(activation, 1027, states, rank, lanes, 3), other(activation, 1027, states, rank, lanes, 2);
  const KernelResults<T> expected(general, c);
  EXPECT_TRUE(KernelResults<T>(compiled, c) == expected) << c.label();
  EXPECT_FALSE(KernelResults<T>(compiled, other) == expected) << c.label();
  return true;
}

TEST(LowRankStep, CompiledSizesGiveTheBitsOfTheGeneralKernels) {
  std::int64_t single = 0, twofold = 0;
  for (const Activation activation : every_activation)
    model::with_activation(activation, [&](auto phi) {
      for (const std::int64_t rank : {1, 2, 3, 4, 5})
        for (const std::int64_t inputs : {0, 1, 2}) {
          if (expect_equal_bits<float, decltype(phi)>(activation, rank + inputs, rank, 50)) ++single;
          if (expect_equal_bits<double, decltype(phi)>(activation, rank + inputs, rank, 21)) ++twofold;
        }
    });
  EXPECT_EQ(single, 2 * 10) << "compiled for relu and clipped relu, 3 ranks with up to 2 inputs and rank 4";
  EXPECT_EQ(twofold, 2 * 4) << "compiled for relu and clipped relu, 4 ranks";
}

template <class T>
void expect_lanes_apart(Activation activation, std::int64_t states) {
  const Case<T> all(activation, 600, states, 3, block_lanes);
  const Numbers<T> out = step_of(all), adjoint = state_adjoint_of(all);
  for (const std::int64_t lanes : {1, 15, 16, 17, 47}) {
    const Case<T> c(activation, 600, states, 3, lanes);
    const Numbers<T> some_out = step_of(c), some_adjoint = state_adjoint_of(c);
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      for (std::int64_t row = 0; row < 3; ++row) {
        const std::size_t k = c.size(row * block_lanes + lane);
        ASSERT_EQ(out[k], some_out[k]) << c.label();
        ASSERT_EQ(adjoint[k], some_adjoint[k]) << c.label();
      }
    EXPECT_NE(out, some_out) << "the lanes beyond were not asked for";
  }
}

TEST(LowRankStep, ALaneDoesNotDependOnHowManyAreComputed) {
  for (const Activation activation : every_activation)
    for (const std::int64_t states : {3, 5}) {
      expect_lanes_apart<float>(activation, states);
      expect_lanes_apart<double>(activation, states);
    }
}

template <class T>
void expect_lanes_beyond_ignored(std::int64_t lanes) {
  Case<T> c(Activation::clipped_relu, 21, 3, 3, lanes, 4);
  const WeightSums<T> expected = weight_adjoints_of(c);
  for (std::size_t t = 0; t < c.zeta.size(); ++t)
    for (std::int64_t lane = lanes; lane < block_lanes; ++lane)
      for (std::int64_t row = 0; row < 3; ++row) {
        c.zeta[t][c.size(row * block_lanes + lane)] = std::numeric_limits<T>::quiet_NaN();
        c.out_adjoint[t][c.size(row * block_lanes + lane)] = T(1e30);
      }
  EXPECT_TRUE(weight_adjoints_of(c) == expected) << c.label();
  c.records[2].lanes = lanes - 1;
  EXPECT_FALSE(weight_adjoints_of(c) == expected) << "every lane before counts: " << c.label();
}

TEST(LowRankStep, LanesBeyondDoNotCountInWeightAdjoints) {
  for (const std::int64_t lanes : {1, 2, 15, 16, 17, 50, 63}) {
    expect_lanes_beyond_ignored<float>(lanes);
    expect_lanes_beyond_ignored<double>(lanes);
  }
}

TEST(LowRankStep, AdjointsAreAdded) {
  const Case<double> c(Activation::tanh, 30, 2, 2, 20, 3);
  const Numbers<double> once = state_adjoint_of(c);
  Numbers<double> twice = once;
  low_rank_step_adjoint(PreparedStep<double>(c.weights), c.zeta.back().data(), c.out_adjoint.back().data(), c.lanes,
                        twice.data());
  WeightSums<double> sums = weight_adjoints_of(c);
  const WeightSums<double> one = sums;
  low_rank_weight_adjoints<double>(PreparedStep<double>(c.weights), c.records, sums.views());
  for (std::size_t k = 0; k < once.size(); ++k) EXPECT_EQ(twice[k], 2 * once[k]);
  for (std::size_t k = 0; k < one.m.size(); ++k) EXPECT_EQ(sums.m[k], 2 * one.m[k]);
  for (std::size_t k = 0; k < one.n.size(); ++k) EXPECT_EQ(sums.n[k], 2 * one.n[k]);
  for (std::size_t k = 0; k < one.bias.size(); ++k) EXPECT_EQ(sums.bias[k], 2 * one.bias[k]);
  EXPECT_NE(once[0], 0.0);
  EXPECT_NE(one.m[0], 0.0);
}

/// sum of out * out_adjoint over all steps: the adjoints are its derivatives.
double objective(const Case<double>& c) {
  double sum = 0;
  const PreparedStep<double> step(c.weights);
  Numbers<double> out(c.size(c.weights.rank * block_lanes));
  for (const auto& record : c.records) {
    low_rank_step(step, record.zeta, c.lanes, out.data());
    for (std::int64_t r = 0; r < c.weights.rank; ++r)
      for (std::int64_t lane = 0; lane < c.lanes; ++lane)
        sum += out[c.size(r * block_lanes + lane)] * record.out_adjoint[r * block_lanes + lane];
  }
  return sum;
}

/// The step moves potentials by at most 1e-6 Q, less than the 1e-5 between them and a kink. Central differences are off
/// by step^2/6 times the third derivative (here below 100) and by the rounding of the objective, some 1e-13, over step.
void expect_derivative(Case<double>& c, double& number, double adjoint, const char* what) {
  constexpr double step = 1e-6;
  const double kept = number;
  number = kept + step;
  const double above = objective(c);
  number = kept - step;
  const double below = objective(c);
  number = kept;
  EXPECT_NEAR(adjoint, (above - below) / (2 * step), 3e-7) << what << ", " << c.label();
}

TEST(LowRankStep, AdjointsAreTheDerivatives) {
  for (const Activation activation : every_activation)
    for (const std::int64_t states : {3, 4}) {
      Case<double> c(activation, 9, states, 3, 11, 2);
      const Numbers<double> zeta = state_adjoint_of(c);
      const WeightSums<double> found = weight_adjoints_of(c);
      for (std::size_t k = 0; k < c.m.size(); ++k) expect_derivative(c, c.m[k], found.m[k], "m");
      for (std::size_t k = 0; k < c.n.size(); ++k) expect_derivative(c, c.n[k], found.n[k], "n");
      for (std::size_t k = 0; k < c.bias.size(); ++k) expect_derivative(c, c.bias[k], found.bias[k], "bias");
      for (std::int64_t q = 0; q < states; ++q)
        for (std::int64_t lane = 0; lane < c.lanes; ++lane)
          expect_derivative(c, c.zeta.back()[c.size(q * block_lanes + lane)], zeta[c.size(q * block_lanes + lane)],
                            "zeta");
    }
}

TEST(LowRankStep, WrongSizesAreNamed) {
  Case<float> c(Activation::relu, 5, 2, 2, 10);
  const auto message = [](auto action) -> std::string {
    try {
      action();
    } catch (const InternalError& error) {
      return error.what();
    }
    return "no error";
  };
  c.weights.neurons = 6;
  EXPECT_EQ(message([&] { step_of(c); }), "low-rank step: m has 10 numbers, but the sizes of its weights say 12");
  c.weights.neurons = 5;
  c.lanes = 65;
  EXPECT_EQ(message([&] { step_of(c); }), "low-rank step: 65 lanes; a block has 0 to 64");
  c.lanes = 10;
  EXPECT_EQ(message([&] { step_of(c); }), "no error");
}

}  // namespace
}  // namespace rankflow::smc::testing
