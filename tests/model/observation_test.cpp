#include "model/observation.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace rankflow::model {
namespace {

using config::Link;
using config::ObservationKind;
using config::ObservationOptions;
using config::ObservationSource;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t seed = 11;

config::ArraySource inline_array(std::vector<std::int64_t> shape, std::vector<double> values) {
  config::ArraySource source;
  source.given = true;
  source.shape = std::move(shape);
  source.values = std::move(values);
  return source;
}

ObservationOptions of_kind(ObservationKind kind, std::int64_t channels) {
  ObservationOptions options;
  options.kind = kind;
  options.channels = channels;
  return options;
}

std::vector<double> mean_of(const Observation& observation, const std::vector<double>& state) {
  std::vector<double> mean(static_cast<std::size_t>(observation.channels()));
  observation.mean(state, mean);
  return mean;
}

std::vector<double> draw_of(const Observation& observation, std::int64_t trial, std::int64_t row,
                            const std::vector<double>& mean) {
  std::vector<double> observed(mean.size());
  observation.draw(trial, row, mean, observed);
  return observed;
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

TEST(Observation, MeanOfLatents) {
  auto options = of_kind(ObservationKind::gaussian, 0);
  options.weights = inline_array({3, 2}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  options.bias = inline_array({3}, {0.5, -0.5, 0.25});
  const Observation observation(options, 2, seed);
  EXPECT_EQ(observation.channels(), 3);
  EXPECT_EQ(observation.kind(), ObservationKind::gaussian);
  EXPECT_EQ(observation.source(), ObservationSource::latent);
  EXPECT_THAT(observation.variance(), ElementsAre(0.1 * 0.1, 0.1 * 0.1, 0.1 * 0.1));
  EXPECT_THAT(mean_of(observation, {10.0, -1.0}), ElementsAre(8.5, 25.5, 44.25));
}

TEST(Observation, MeanOfRates) {
  auto options = of_kind(ObservationKind::gaussian, 2);
  options.source = ObservationSource::rates;
  options.bias_mean = 1.0;
  EXPECT_THAT(mean_of(Observation(options, 5, seed), {3.0, 4.0}), ElementsAre(4.0, 5.0));
  options.weights = inline_array({2}, {2.0, -1.0});
  EXPECT_THAT(mean_of(Observation(options, 5, seed), {3.0, 4.0}), ElementsAre(7.0, -3.0));
}

TEST(Observation, TransposedAndScaledWeights) {
  auto options = of_kind(ObservationKind::gaussian, 0);
  options.weights = inline_array({2, 3}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  options.weights.transpose = true;
  options.weights.scale = 10.0;
  const Observation observation(options, 2, seed);
  EXPECT_THAT(observation.weights(), ElementsAre(10.0, 40.0, 20.0, 50.0, 30.0, 60.0));
}

TEST(Observation, Links) {
  const auto linked = [](ObservationKind kind, std::optional<Link> link, double drive) {
    auto options = of_kind(kind, 1);
    options.link = link;
    options.weights = inline_array({1, 1}, {1.0});
    return mean_of(Observation(options, 1, seed), {drive})[0];
  };
  const auto gaussian = ObservationKind::gaussian;
  for (const double s : {-2.0, 0.0, 0.75}) {
    EXPECT_EQ(linked(gaussian, Link::identity, s), s);
    EXPECT_DOUBLE_EQ(linked(gaussian, Link::exponential, s), std::exp(s));
    EXPECT_DOUBLE_EQ(linked(gaussian, Link::softplus, s), std::log(1.0 + std::exp(s)));
    EXPECT_EQ(linked(gaussian, Link::relu, s), s > 0.0 ? s : 0.0);
    EXPECT_EQ(linked(gaussian, std::nullopt, s), s);
    EXPECT_EQ(linked(ObservationKind::poisson, std::nullopt, s), linked(gaussian, Link::softplus, s));
  }
  EXPECT_EQ(linked(gaussian, Link::softplus, 1000.0), 1000.0);
  EXPECT_TRUE(std::isnan(linked(gaussian, Link::relu, std::nan(""))));
}

TEST(Observation, RandomWeightsDependOnChannelAndLatentOnly) {
  auto options = of_kind(ObservationKind::gaussian, 4);
  options.weight_std = 2.0;
  const Observation small(options, 2, seed);
  options.channels = 1000;
  const Observation large(options, 3, seed);
  const Observation reseeded(options, 3, seed + 1);
  for (std::size_t c = 0; c < 4; ++c) {
    for (std::size_t r = 0; r < 2; ++r) EXPECT_EQ(small.weights()[c * 2 + r], large.weights()[c * 3 + r]);
  }
  EXPECT_NE(large.weights()[0], reseeded.weights()[0]);
  double sum = 0.0, square = 0.0;
  for (const double w : large.weights()) {
    sum += w / 2.0;
    square += w * w / 4.0;
  }
  EXPECT_NEAR(sum / 3000.0, 0.0, 5.0 / std::sqrt(3000.0));
  EXPECT_NEAR(square / 3000.0, 1.0, 5.0 * std::sqrt(2.0 / 3000.0));
}

TEST(Observation, GaussianMoments) {
  auto options = of_kind(ObservationKind::gaussian, 2);
  options.variance = inline_array({2}, {4.0, 0.25});
  const Observation observation(options, 1, seed);
  constexpr int rows = 20000;
  double sums[2] = {}, squares[2] = {}, product = 0.0;
  for (int row = 0; row < rows; ++row) {
    const auto y = draw_of(observation, 3, row, {1.0, -2.0});
    const double first = (y[0] - 1.0) / 2.0, second = (y[1] + 2.0) / 0.5;
    sums[0] += first;
    sums[1] += second;
    squares[0] += first * first;
    squares[1] += second * second;
    product += first * second;
  }
  // Five standard deviations of each estimate.
  for (int c = 0; c < 2; ++c) {
    EXPECT_NEAR(sums[c] / rows, 0.0, 5.0 / std::sqrt(rows));
    EXPECT_NEAR(squares[c] / rows, 1.0, 5.0 * std::sqrt(2.0 / rows));
  }
  EXPECT_NEAR(product / rows, 0.0, 5.0 / std::sqrt(rows));
}

TEST(Observation, PoissonMoments) {
  const Observation observation(of_kind(ObservationKind::poisson, 3), 1, seed);
  EXPECT_TRUE(observation.variance().empty());
  const std::vector<double> mean{0.0, 0.7, 40.0};
  constexpr int rows = 20000;
  double sums[3] = {}, squares[3] = {};
  for (int row = 0; row < rows; ++row) {
    const auto y = draw_of(observation, 0, row, mean);
    for (std::size_t c = 0; c < 3; ++c) {
      ASSERT_EQ(y[c], std::floor(y[c]));
      ASSERT_GE(y[c], 0.0);
      sums[c] += y[c] - mean[c];
      squares[c] += (y[c] - mean[c]) * (y[c] - mean[c]);
    }
  }
  for (std::size_t c = 0; c < 3; ++c) {
    // Variance m; fourth central moment m + 3 m^2, so the square has variance m + 2 m^2. Five standard deviations.
    const double m = mean[c];
    EXPECT_NEAR(sums[c] / rows, 0.0, 5.0 * std::sqrt(m / rows)) << m;
    EXPECT_NEAR(squares[c] / rows, m, 5.0 * std::sqrt((m + 2.0 * m * m) / rows)) << m;
  }
}

class ObservationOrder : public testing::TestWithParam<ObservationKind> {};

TEST_P(ObservationOrder, DrawsDependOnTrialRowAndChannelOnly) {
  // More channels than are drawn at once.
  const Observation observation(of_kind(GetParam(), 300), 1, seed);
  const Observation again(of_kind(GetParam(), 300), 1, seed);
  const Observation reseeded(of_kind(GetParam(), 300), 1, seed + 1);
  const Observation narrow(of_kind(GetParam(), 10), 1, seed);
  const std::vector<double> mean(300, 5.0);
  const auto first = draw_of(observation, 1, 2, mean);
  const auto other_row = draw_of(observation, 1, 3, mean);
  EXPECT_EQ(draw_of(again, 1, 3, mean), other_row);
  EXPECT_EQ(draw_of(again, 1, 2, mean), first);
  EXPECT_NE(first, other_row);
  EXPECT_NE(first, draw_of(observation, 2, 2, mean));
  EXPECT_NE(first, draw_of(reseeded, 1, 2, mean));
  EXPECT_EQ(draw_of(narrow, 1, 2, std::vector<double>(10, 5.0)),
            std::vector<double>(first.begin(), first.begin() + 10));
  EXPECT_NE(std::vector<double>(first.begin(), first.begin() + 44),
            std::vector<double>(first.begin() + 256, first.end()));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ObservationOrder, testing::Values(ObservationKind::gaussian, ObservationKind::poisson));

// -- What a user can get wrong --------------------------------------------------------------------------------

TEST(ObservationErrors, NegativeMeanOfCounts) {
  auto options = of_kind(ObservationKind::poisson, 2);
  options.link = Link::identity;
  const Observation observation(options, 1, seed);
  const auto message = message_of<NumericalError>([&] { draw_of(observation, 4, 17, {1.0, -0.5}); });
  EXPECT_THAT(message, HasSubstr("mean of channel 1 in trial 4, row 17 is -0.5"));
  EXPECT_THAT(message, HasSubstr("link is \"identity\""));
  EXPECT_THAT(message, HasSubstr("link = \"softplus\""));
  EXPECT_EQ(message_of<NumericalError>([&] { draw_of(observation, 4, 17, {1.0, 0.5}); }), "nothing thrown");
}

TEST(ObservationErrors, GaussianMeansMayBeNegative) {
  const Observation observation(of_kind(ObservationKind::gaussian, 1), 1, seed);
  EXPECT_EQ(message_of<NumericalError>([&] { draw_of(observation, 0, 0, {-3.0}); }), "nothing thrown");
}

TEST(ObservationErrors, MeanNotFinite) {
  for (const auto kind : {ObservationKind::gaussian, ObservationKind::poisson}) {
    const Observation observation(of_kind(kind, 2), 1, seed);
    for (const double bad :
         {std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
      const auto message = message_of<NumericalError>([&] { draw_of(observation, 2, 5, {bad, 1.0}); });
      EXPECT_THAT(message, HasSubstr("mean of channel 0 in trial 2, row 5"));
      EXPECT_THAT(message, HasSubstr("must be finite"));
    }
  }
}

TEST(ObservationErrors, MeanTooLargeToCount) {
  const Observation observation(of_kind(ObservationKind::poisson, 1), 1, seed);
  EXPECT_THAT(message_of<NumericalError>([&] { draw_of(observation, 0, 0, {1e17}); }),
              HasSubstr("mean of channel 0 in trial 0, row 0 is 1e+17, but Poisson counts are drawn up to"));
}

TEST(ObservationErrors, NumberOfChannelsUnknown) {
  EXPECT_THAT(message_of<ConfigurationError>([] { Observation(of_kind(ObservationKind::gaussian, 0), 2, seed); }),
              HasSubstr("observation.channels is 0 and there are no observation.weights"));
}

TEST(ObservationErrors, ShapesThatDoNotFit) {
  auto options = of_kind(ObservationKind::gaussian, 2);
  options.weights = inline_array({3, 2}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  auto message = message_of<InputDataError>([&] { Observation(options, 2, seed); });
  EXPECT_THAT(message, HasSubstr("observation.weights has shape [3, 2], but [channel, rank] = [2, 2] is needed"));
  options.channels = 0;
  message = message_of<InputDataError>([&] { Observation(options, 3, seed); });
  EXPECT_THAT(message, HasSubstr("[channel, rank] = [3, 3] is needed"));
  EXPECT_THAT(message, HasSubstr("transpose"));

  options = of_kind(ObservationKind::gaussian, 2);
  options.bias = inline_array({3}, {1.0, 2.0, 3.0});
  EXPECT_THAT(message_of<InputDataError>([&] { Observation(options, 2, seed); }),
              HasSubstr("observation.bias has shape [3], but [channel] = [2] is needed"));

  options = of_kind(ObservationKind::gaussian, 2);
  options.variance = inline_array({1}, {1.0});
  EXPECT_THAT(message_of<InputDataError>([&] { Observation(options, 2, seed); }),
              HasSubstr("observation.variance has shape [1], but [channel] = [2] is needed"));

  options = of_kind(ObservationKind::gaussian, 0);
  options.weights = inline_array({0, 2}, {});
  EXPECT_THAT(message_of<InputDataError>([&] { Observation(options, 2, seed); }), HasSubstr("it holds no channel"));
}

TEST(ObservationErrors, NegativeVariance) {
  auto options = of_kind(ObservationKind::gaussian, 2);
  options.variance = inline_array({2}, {1.0, -4.0});
  EXPECT_THAT(message_of<InputDataError>([&] { Observation(options, 2, seed); }),
              HasSubstr("observation.variance: value at [1] is -4"));
}

TEST(ObservationErrors, WeightNotFinite) {
  auto options = of_kind(ObservationKind::gaussian, 1);
  options.weights = inline_array({1, 2}, {1.0, std::numeric_limits<double>::infinity()});
  EXPECT_THAT(message_of<InputDataError>([&] { Observation(options, 2, seed); }),
              HasSubstr("observation.weights: value at [0, 1] is inf"));
}

}  // namespace
}  // namespace rankflow::model
