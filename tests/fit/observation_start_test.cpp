#include "fit/observation_start.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rankflow::fit {
namespace {

config::LatentModelOptions options_of(config::ObservationKind kind) {
  config::LatentModelOptions options;
  options.network.neurons = 4;
  options.observation.kind = kind;
  options.observation.std = 0.5;
  return options;
}

TEST(ObservationStart, InverseLinkIsTheInverse) {
  for (const double mean : {1e-9, 1e-3, 0.7, 30.0, 800.0}) {
    // softplus(s) = max(s, 0) + log1p(exp(-|s|)); rounding of s is magnified by mean'(s) s / mean <= |s| + 1.
    const double s = inverse_link(config::Link::softplus, mean);
    const double back = std::max(s, 0.0) + std::log1p(std::exp(-std::abs(s)));
    EXPECT_NEAR(back / mean, 1, 4e-16 * (std::abs(s) + 2)) << mean;
    EXPECT_NEAR(std::exp(inverse_link(config::Link::exponential, mean)) / mean, 1, 1e-14);
    EXPECT_EQ(inverse_link(config::Link::identity, -mean), -mean);
  }
  EXPECT_NE(inverse_link(config::Link::softplus, 0.7), inverse_link(config::Link::exponential, 0.7));
}

TEST(ObservationStart, GaussianChannelsStartAtTheirMeanAndScale) {
  const smc::LatentModel model(options_of(config::ObservationKind::gaussian), 2, 0);
  const auto before = model.initial_parameters(1);
  auto after = before;
  start_observation(model, {{3.0, -7.0}, {2.0, 0.1}}, after);
  const auto part = [&](const std::vector<double>& flat, smc::LatentModel::Id id) {
    return model.layout().part(std::span<const double>(flat), id);
  };
  EXPECT_EQ(part(after, model.observation_bias)[0], 3.0);
  EXPECT_EQ(part(after, model.observation_bias)[1], -7.0);
  for (const std::size_t i : {0, 1, 2, 3})
    EXPECT_EQ(part(after, model.observation_weights)[i],
              part(before, model.observation_weights)[i] * (i < 2 ? 2.0 : 0.1));
  EXPECT_NEAR(std::exp(part(after, *model.observation_log_variance)[0]), 1.0, 1e-15);
  EXPECT_NEAR(std::exp(part(after, *model.observation_log_variance)[1]), 0.0025, 1e-17);
  EXPECT_TRUE(std::ranges::equal(part(after, model.m), part(before, model.m)));
}

TEST(ObservationStart, CountsMoveTheBiasOnlyAndGivenArraysStay) {
  auto options = options_of(config::ObservationKind::poisson);
  const smc::LatentModel model(options, 2, 0);
  const auto before = model.initial_parameters(1);
  auto after = before;
  start_observation(model, {{0.05, 1.5}, {1.0, 2.0}}, after);
  const auto part = [&](std::vector<double>& flat, smc::LatentModel::Id id) {
    return model.layout().part(std::span<double>(flat), id);
  };
  EXPECT_EQ(part(after, model.observation_bias)[1], inverse_link(config::Link::softplus, 1.5));
  part(after, model.observation_bias)[0] = 0;
  part(after, model.observation_bias)[1] = 0;
  EXPECT_EQ(after, before);

  options.parameters.observation_bias.given = true;
  const smc::LatentModel kept(options, 2, 0);
  after = before;
  start_observation(kept, {{0.05, 1.5}, {1.0, 2.0}}, after);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace rankflow::fit
