#include "model/inputs.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace rankflow::model {
namespace {

using config::InputKind;
using config::InputOptions;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double never = std::numeric_limits<double>::infinity();
constexpr std::uint64_t seed = 7;

InputOptions window(InputKind kind, double amplitude, double start, double stop) {
  InputOptions options;
  options.kind = kind;
  options.amplitude = amplitude;
  options.start = start;
  if (stop < never) options.stop = stop;
  return options;
}

InputOptions random_input(double std, double correlation_time, double mean = 0.0) {
  auto options = window(InputKind::ornstein_uhlenbeck, mean, 0.0, never);
  options.std = std;
  options.correlation_time = correlation_time;
  return options;
}

InputOptions samples(std::vector<std::int64_t> shape, std::vector<double> values) {
  auto options = window(InputKind::file, 1.0, 0.0, never);
  options.array.given = true;
  options.array.shape = std::move(shape);
  options.array.values = std::move(values);
  return options;
}

std::vector<double> at(Inputs& inputs, std::int64_t trial, double t) {
  std::vector<double> u(static_cast<std::size_t>(inputs.channels()), -99.0);
  inputs.at(trial, t, u);
  return u;
}

std::vector<double> at_step(Inputs& inputs, std::int64_t trial, std::int64_t k) {
  std::vector<double> u(static_cast<std::size_t>(inputs.channels()), -99.0);
  inputs.at_step(trial, k, u);
  return u;
}

/// First channel of one trial at steps 0 to count - 1.
std::vector<double> path(Inputs& inputs, std::int64_t trial, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t k = 0; k < count; ++k) values.push_back(at_step(inputs, trial, k)[0]);
  return values;
}

std::vector<double> jumps(const Inputs& inputs, std::int64_t trial, double end) {
  std::vector<double> times;
  for (double t = inputs.next_jump(trial, 0.0); t <= end; t = inputs.next_jump(trial, t)) times.push_back(t);
  return times;
}

template <class Exception, class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(Inputs, NoneIsZeroEverywhere) {
  Inputs inputs({}, 1, 0.1, 2, seed);
  EXPECT_TRUE(inputs.empty());
  EXPECT_THAT(at(inputs, 0, 0.3), ElementsAre(0.0, 0.0));
  EXPECT_EQ(inputs.next_jump(0, 0.0), never);
  EXPECT_EQ(Inputs::channels_driven({}), 0);
}

TEST(Inputs, SignalsOnAChannelAdd) {
  auto other = window(InputKind::constant, 4.0, 0.0, never);
  other.channel = 1;
  Inputs inputs({window(InputKind::constant, 1.0, 0.0, never), window(InputKind::constant, 2.0, 0.0, never), other}, 1,
                0.1, 3, seed);
  EXPECT_FALSE(inputs.empty());
  EXPECT_THAT(at(inputs, 0, 5.0), ElementsAre(3.0, 4.0, 0.0));
}

TEST(Inputs, PulseHoldsFromStartToStop) {
  Inputs inputs({window(InputKind::pulse, 2.5, 0.25, 0.75)}, 1, 0.1, 1, seed);
  EXPECT_THAT(at(inputs, 0, std::nextafter(0.25, 0.0)), ElementsAre(0.0));
  EXPECT_THAT(at(inputs, 0, 0.25), ElementsAre(2.5));
  EXPECT_THAT(at(inputs, 0, std::nextafter(0.75, 0.0)), ElementsAre(2.5));
  EXPECT_THAT(at(inputs, 0, 0.75), ElementsAre(0.0));
  EXPECT_THAT(jumps(inputs, 0, 10.0), ElementsAre(0.25, 0.75));
}

TEST(Inputs, StepStaysOn) {
  Inputs inputs({window(InputKind::step, 2.0, 0.5, never)}, 1, 0.1, 1, seed);
  EXPECT_THAT(at(inputs, 0, 0.49), ElementsAre(0.0));
  EXPECT_THAT(at(inputs, 0, 1e6), ElementsAre(2.0));
  EXPECT_THAT(jumps(inputs, 0, 10.0), ElementsAre(0.5));
}

TEST(Inputs, SinusoidFollowsItsFormula) {
  auto options = window(InputKind::sinusoid, 3.0, 0.2, 0.9);
  options.frequency = 1.7;
  options.phase = 0.4;
  Inputs inputs({options}, 1, 0.1, 1, seed);
  for (const double t : {0.2, 0.31, 0.77})
    EXPECT_NEAR(at(inputs, 0, t)[0], 3.0 * std::sin(2.0 * std::numbers::pi * 1.7 * t + 0.4), 1e-14) << t;
  EXPECT_THAT(at(inputs, 0, 0.1), ElementsAre(0.0));
  EXPECT_THAT(at(inputs, 0, 0.95), ElementsAre(0.0));
  EXPECT_THAT(jumps(inputs, 0, 10.0), ElementsAre(0.2, 0.9));
}

TEST(Inputs, AmplitudesAreCycledOverTrials) {
  auto options = window(InputKind::constant, 9.0, 0.0, never);
  options.amplitudes = {1.0, -2.0, 3.0};
  Inputs inputs({options}, 5, 0.1, 1, seed);
  std::vector<double> found;
  for (std::int64_t trial = 0; trial < 5; ++trial) found.push_back(at(inputs, trial, 0.0)[0]);
  EXPECT_THAT(found, ElementsAre(1.0, -2.0, 3.0, 1.0, -2.0));
}

/// k · step and the decimal time differ by rounding, in either direction, for many of these.
TEST(Inputs, OnsetsOnTheGridAreMetExactly) {
  int rounded_up = 0, rounded_down = 0;
  for (const double step : {0.1, 0.01, 1e-3, 1e-4, 0.7e-3}) {
    for (std::int64_t k = 1; k < 300; ++k) {
      const double start = std::stod(fmt::format("{:.10g}", static_cast<double>(k) * step));
      rounded_up += static_cast<double>(k) * step > start;
      rounded_down += static_cast<double>(k) * step < start;
      Inputs inputs({window(InputKind::step, 1.0, start, never)}, 1, step, 1, seed);
      ASSERT_EQ(at_step(inputs, 0, k - 1)[0], 0.0) << k << " " << step;
      ASSERT_EQ(at_step(inputs, 0, k)[0], 1.0) << k << " " << step;
      const double jump = inputs.next_jump(0, 0.0);
      ASSERT_EQ(at(inputs, 0, jump)[0], 1.0);
      ASSERT_EQ(at(inputs, 0, std::nextafter(jump, 0.0))[0], 0.0);
      ASSERT_EQ(inputs.next_jump(0, jump), never);
    }
  }
  EXPECT_GT(rounded_up, 0);
  EXPECT_GT(rounded_down, 0);
}

TEST(Inputs, OnsetsBetweenGridPointsAreNotMoved) {
  Inputs inputs({window(InputKind::step, 1.0, 0.3 + 1e-6, never)}, 1, 0.1, 1, seed);
  EXPECT_EQ(at_step(inputs, 0, 3)[0], 0.0);
  EXPECT_EQ(at_step(inputs, 0, 4)[0], 1.0);
  EXPECT_EQ(inputs.next_jump(0, 0.0), 0.3 + 1e-6);
}

TEST(Inputs, SamplesAreHeldForAnInterval) {
  auto options = samples({3}, {1.0, 2.0, 4.0});
  options.amplitude = 10.0;
  options.interval = 0.25;
  Inputs inputs({options}, 2, 0.1, 1, seed);
  EXPECT_THAT(at(inputs, 1, 0.0), ElementsAre(10.0));
  EXPECT_THAT(at(inputs, 1, 0.24), ElementsAre(10.0));
  EXPECT_THAT(at(inputs, 1, 0.25), ElementsAre(20.0));
  EXPECT_THAT(at(inputs, 1, 0.74), ElementsAre(40.0));
  EXPECT_THAT(at(inputs, 1, 0.75), ElementsAre(0.0));
  EXPECT_THAT(at(inputs, 1, 1e300), ElementsAre(0.0));
  EXPECT_THAT(jumps(inputs, 0, 10.0), ElementsAre(0.25, 0.5, 0.75));
}

TEST(Inputs, SamplesBeginAtStartAndEndAtStop) {
  auto options = samples({4}, {1.0, 2.0, 4.0, 8.0});
  options.start = 1.0;
  options.stop = 1.6;
  options.interval = 0.25;
  Inputs inputs({options}, 1, 0.1, 1, seed);
  EXPECT_THAT(at(inputs, 0, 0.9), ElementsAre(0.0));
  EXPECT_THAT(at(inputs, 0, 1.3), ElementsAre(2.0));
  EXPECT_THAT(at(inputs, 0, 1.7), ElementsAre(0.0));
  EXPECT_THAT(jumps(inputs, 0, 10.0), ElementsAre(1.0, 1.25, 1.5, 16 * 0.1));
}

TEST(Inputs, EqualSamplesMakeNoJump) {
  Inputs inputs({samples({6}, {5.0, 5.0, 5.0, 1.0, 0.0, 0.0})}, 1, 0.5, 1, seed);
  EXPECT_THAT(jumps(inputs, 0, 10.0), ElementsAre(1.5, 2.0));
}

TEST(Inputs, OneSamplePerStepByDefault) {
  std::vector<double> values;
  for (int k = 0; k < 1000; ++k) values.push_back(k + 1.0);
  Inputs inputs({samples({1000}, values)}, 1, 1e-3, 1, seed);
  EXPECT_EQ(path(inputs, 0, 1000), values);
  EXPECT_EQ(at_step(inputs, 0, 1000)[0], 0.0);
  for (const double t : jumps(inputs, 0, 2.0)) ASSERT_NE(at(inputs, 0, t), at(inputs, 0, std::nextafter(t, 0.0)));
}

TEST(Inputs, ColumnsDriveChannelsInARow) {
  auto options = samples({2, 2}, {1.0, 2.0, 3.0, 4.0});
  options.channel = 1;
  EXPECT_EQ(Inputs::channels_driven({options, window(InputKind::constant, 1.0, 0.0, never)}), 3);
  Inputs inputs({options}, 3, 1.0, 4, seed);
  EXPECT_THAT(at_step(inputs, 2, 0), ElementsAre(0.0, 1.0, 2.0, 0.0));
  EXPECT_THAT(at_step(inputs, 2, 1), ElementsAre(0.0, 3.0, 4.0, 0.0));
}

TEST(Inputs, TrialsHaveTheirOwnSamples) {
  auto options = samples({2, 2, 1}, {1.0, 2.0, 3.0, 4.0});
  options.amplitudes = {1.0, 10.0};
  Inputs inputs({options}, 2, 1.0, 1, seed);
  EXPECT_THAT(path(inputs, 0, 3), ElementsAre(1.0, 2.0, 0.0));
  EXPECT_THAT(path(inputs, 1, 3), ElementsAre(30.0, 40.0, 0.0));
}

TEST(Inputs, OneTrialOfSamplesServesAll) {
  Inputs inputs({samples({1, 2, 1}, {1.0, 2.0})}, 3, 1.0, 1, seed);
  EXPECT_THAT(path(inputs, 2, 2), ElementsAre(1.0, 2.0));
}

TEST(Inputs, TransposedSamples) {
  auto options = samples({2, 3}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  options.array.transpose = true;
  EXPECT_EQ(Inputs::channels_driven({options}), 2);
  Inputs inputs({options}, 1, 1.0, 2, seed);
  EXPECT_THAT(at_step(inputs, 0, 1), ElementsAre(2.0, 5.0));
}

// -- Ornstein-Uhlenbeck ---------------------------------------------------------------------------------------

TEST(RandomInput, StationaryMomentsAndAutocorrelation) {
  constexpr std::int64_t trials = 20000;
  constexpr double std = 1.5, mean = 0.75, step = 0.05, correlation_time = 0.4;
  Inputs inputs({random_input(std, correlation_time, mean)}, trials, step, 1, seed);
  // Within one block of random numbers, across two, and far from the start.
  for (const auto& [first, lag] : {std::pair{0, 6}, std::pair{28, 8}, std::pair{200, 1}}) {
    double sum = 0.0, square = 0.0, product = 0.0;
    for (std::int64_t trial = 0; trial < trials; ++trial) {
      const double x = (at_step(inputs, trial, first)[0] - mean) / std;
      const double y = (at_step(inputs, trial, first + lag)[0] - mean) / std;
      sum += x;
      square += x * x;
      product += x * y;
    }
    const auto count = static_cast<double>(trials);
    const double correlation = std::exp(-lag * step / correlation_time);
    // Five standard deviations of each estimate of independent Gaussian trials.
    EXPECT_NEAR(sum / count, 0.0, 5.0 / std::sqrt(count));
    EXPECT_NEAR(square / count, 1.0, 5.0 * std::sqrt(2.0 / count));
    EXPECT_NEAR(product / count, correlation, 5.0 * std::sqrt((1.0 + correlation * correlation) / count));
  }
}

TEST(RandomInput, TrialsSignalsAndSeedsAreIndependent) {
  constexpr std::int64_t steps = 20000;
  auto second = random_input(1.0, 1e-3);
  second.channel = 1;
  // Correlation time of a thousandth of a step: successive values are independent as well.
  Inputs inputs({random_input(1.0, 1e-3), second}, 2, 1.0, 2, seed);
  Inputs reseeded({random_input(1.0, 1e-3)}, 1, 1.0, 1, seed + 1);
  double trials = 0.0, signals = 0.0, seeds = 0.0, next = 0.0, control = 0.0, last = 0.0;
  for (std::int64_t k = 0; k < steps; ++k) {
    const auto u = at_step(inputs, 0, k);
    trials += u[0] * at_step(inputs, 1, k)[0];
    signals += u[0] * u[1];
    seeds += u[0] * at_step(reseeded, 0, k)[0];
    next += u[0] * last;
    control += u[0] * u[0];
    last = u[0];
  }
  const double tolerance = 5.0 * std::sqrt(static_cast<double>(steps));
  for (const double sum : {trials, signals, seeds, next}) EXPECT_NEAR(sum, 0.0, tolerance);
  EXPECT_GT(control, tolerance);
}

TEST(RandomInput, AnyOrderGivesTheSamePath) {
  const std::vector<InputOptions> options{random_input(1.0, 0.5)};
  constexpr std::int64_t steps = 200, trials = 3;
  Inputs straight(options, trials, 0.1, 1, seed);
  std::vector<std::vector<double>> expected;
  for (std::int64_t trial = 0; trial < trials; ++trial) expected.push_back(path(straight, trial, steps));
  EXPECT_NE(expected[0], expected[1]);

  Inputs restarted(options, trials, 0.1, 1, seed);
  for (const std::int64_t k : {150, 151, 149, 127, 128, 96, 31, 64, 0, 199, 32, 33, 63}) {
    for (std::int64_t trial = trials; trial-- > 0;)
      ASSERT_EQ(at_step(restarted, trial, k)[0], expected[static_cast<std::size_t>(trial)][static_cast<std::size_t>(k)])
          << "trial " << trial << ", step " << k;
  }
}

/// More trials than blocks of values are kept for: trials that displace each other keep their paths.
TEST(RandomInput, ManyTrialsInTurn) {
  const std::vector<InputOptions> options{random_input(1.0, 0.5)};
  constexpr std::int64_t far = 4096 + 5;
  Inputs interleaved(options, far + 1, 0.1, 1, seed), near_alone(options, far + 1, 0.1, 1, seed),
      far_alone(options, far + 1, 0.1, 1, seed);
  const auto near_path = path(near_alone, 5, 70);
  const auto far_path = path(far_alone, far, 70);
  EXPECT_NE(near_path, far_path);
  for (std::int64_t k = 0; k < 70; ++k) {
    ASSERT_EQ(at_step(interleaved, 5, k)[0], near_path[static_cast<std::size_t>(k)]);
    ASSERT_EQ(at_step(interleaved, far, k)[0], far_path[static_cast<std::size_t>(k)]);
  }
}

TEST(RandomInput, HeldOverEachStepAndJumpsBetween) {
  Inputs inputs({random_input(1.0, 0.5)}, 1, 0.1, 1, seed);
  const auto values = path(inputs, 0, 60);
  double t = 0.0;
  for (std::int64_t k = 0; k + 1 < 60; ++k) {
    const double next = inputs.next_jump(0, t);
    ASSERT_EQ(next, static_cast<double>(k + 1) * 0.1);
    ASSERT_EQ(at(inputs, 0, std::nextafter(next, 0.0))[0], values[static_cast<std::size_t>(k)]);
    ASSERT_EQ(at(inputs, 0, next)[0], values[static_cast<std::size_t>(k + 1)]);
    t = next;
  }
}

TEST(RandomInput, JumpsOfOtherSignalsFallTogether) {
  Inputs inputs({random_input(1.0, 0.5), window(InputKind::pulse, 1.0, 0.3, 0.7)}, 1, 0.1, 1, seed);
  EXPECT_EQ(jumps(inputs, 0, 1.05).size(), 10u);
}

TEST(RandomInput, OtherSignalsDoNotChangeItsPath) {
  Inputs alone({random_input(1.0, 0.5)}, 1, 0.1, 1, seed);
  Inputs beside({random_input(1.0, 0.5), random_input(0.0, 0.5)}, 1, 0.1, 1, seed);
  Inputs moved({random_input(0.0, 0.5), random_input(1.0, 0.5)}, 1, 0.1, 1, seed);
  EXPECT_EQ(path(alone, 0, 50), path(beside, 0, 50));
  EXPECT_NE(path(alone, 0, 50), path(moved, 0, 50));
}

// -- What a user can get wrong --------------------------------------------------------------------------------

TEST(InputErrors, ChannelBeyondTheNetwork) {
  auto options = window(InputKind::constant, 1.0, 0.0, never);
  options.channel = 2;
  EXPECT_THAT(message_of<ConfigurationError>([&] { Inputs({options}, 1, 0.1, 2, seed); }),
              HasSubstr("inputs.0.channel = 2, but the network has input channels 0 to 1"));
  EXPECT_THAT(message_of<ConfigurationError>([&] { Inputs({options}, 1, 0.1, 1, seed); }),
              HasSubstr("one input channel, 0"));
  EXPECT_THAT(message_of<ConfigurationError>([&] { Inputs({options}, 1, 0.1, 0, seed); }),
              HasSubstr("no input channel"));
  EXPECT_EQ(message_of<ConfigurationError>([&] { Inputs({options}, 1, 0.1, 3, seed); }), "nothing thrown");
}

TEST(InputErrors, ColumnsBeyondTheNetwork) {
  auto options = samples({1, 3}, {1.0, 2.0, 3.0});
  options.channel = 1;
  const auto first = window(InputKind::constant, 1.0, 0.0, never);
  EXPECT_THAT(message_of<InputDataError>([&] {
                Inputs({first, options}, 1, 0.1, 3, seed);
              }),
              HasSubstr("inputs.1.array has 3 inputs, for channels 1 to 3, but the network has input channels 0 to 2"));
}

TEST(InputErrors, TooFewTrials) {
  const auto options = samples({2, 1, 1}, {1.0, 2.0});
  const auto message = message_of<InputDataError>([&] { Inputs({options}, 3, 0.1, 1, seed); });
  EXPECT_THAT(message, HasSubstr("inputs.0.array has 2 trials, but time.trials is 3"));
  EXPECT_THAT(message, HasSubstr("exactly one"));
}

TEST(InputErrors, ShapeOfSamples) {
  EXPECT_THAT(message_of<InputDataError>([&] {
                Inputs({samples({1, 1, 1, 1}, {1.0})}, 1, 0.1, 1, seed);
              }),
              HasSubstr("inputs.0.array has shape [1, 1, 1, 1]: needed is [time], [time, input]"));
  EXPECT_THAT(message_of<InputDataError>([&] {
                Inputs({samples({0, 1}, {})}, 1, 0.1, 1, seed);
              }),
              HasSubstr("inputs.0.array has shape [0, 1]: it holds no sample"));
}

TEST(InputErrors, SampleNotFinite) {
  const auto options = samples({2, 1}, {1.0, std::nan("")});
  EXPECT_THAT(message_of<InputDataError>([&] { Inputs({options}, 1, 0.1, 1, seed); }),
              HasSubstr("inputs.0.array: value at [1, 0] is nan"));
}

}  // namespace
}  // namespace rankflow::model
