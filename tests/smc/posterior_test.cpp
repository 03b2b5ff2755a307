#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "smc/backward_simulation.hpp"
#include "smc/forecast.hpp"
#include "smc/linear_case.hpp"
#include "smc/smoothing.hpp"

namespace rankflow::smc {
namespace {

using testing::Comparison;
using testing::Kalman;
using testing::LinearCase;

constexpr std::int64_t much_memory = 1LL << 32;

/// Many filters of the same recording, and everything that follows them.
struct Filtered {
  Filtered(const LinearCase& linear, std::int64_t trials_in, const config::SmcOptions& smc,
           std::vector<std::int64_t> horizons = {0, 1, 3})
      : trials(trials_in),
        data(linear.repeated(trials)),
        filter(linear.model, smc, serial, trials, linear.one.times),
        moments(filter.layout(), serial, linear.model.rank(), linear.one.times),
        forecaster(linear.model, linear.parameters, data.view(), filter.layout(), serial, std::move(horizons), {}),
        history(filter.layout(), serial, linear.model.rank(), linear.one.times, much_memory) {
    filter.run(linear.parameters, data.view(), {}, [this](const WeightedParticles<double>& particles) {
      moments.add(particles);
      forecaster.add(particles);
      history.add(particles);
    });
  }

  std::int64_t trials;
  testing::SmallData data;
  parallel::Communicator serial;
  ParticleFilter<double> filter;
  PosteriorMoments<double> moments;
  Forecaster<double> forecaster;
  FilterHistory<double> history;
};

/// Means and covariances of all trials against one exact answer.
struct MomentComparison {
  MomentComparison(const LatentMoments& found, const std::vector<Vector>& mean,
                   const std::vector<testing::DenseMatrix>& covariance) {
    const std::int64_t rank = found.rank;
    std::vector<double> values(static_cast<std::size_t>(found.trials));
    for (std::int64_t t = 0; t < found.times; ++t) {
      for (std::int64_t r = 0; r < rank; ++r) {
        for (std::int64_t b = 0; b < found.trials; ++b)
          values[static_cast<std::size_t>(b)] = found.mean[static_cast<std::size_t>((b * found.times + t) * rank + r)];
        means.add(values, mean[static_cast<std::size_t>(t)][r]);
        for (std::int64_t q = 0; q < rank; ++q) {
          for (std::int64_t b = 0; b < found.trials; ++b)
            values[static_cast<std::size_t>(b)] =
                found.covariance[static_cast<std::size_t>(((b * found.times + t) * rank + r) * rank + q)];
          covariances.add(values, covariance[static_cast<std::size_t>(t)](r, q));
        }
      }
    }
  }
  Comparison means, covariances;
};

LinearCase with_everything(std::int64_t times) {
  auto options = testing::linear_options();
  options.observation.inputs = true;
  LinearCase linear(options, 3, 2, times);
  linear.punch_gaps();
  return linear;
}

TEST(PosteriorMoments, AreTheKalmanFilters) {
  const auto linear = with_everything(9);
  const auto exact = linear.kalman();
  for (const auto proposal : {config::Proposal::optimal, config::Proposal::bootstrap}) {
    for (const double threshold : {1.0, 0.5}) {
      SCOPED_TRACE(::testing::Message() << static_cast<int>(proposal) << ' ' << threshold);
      const Filtered filtered(linear, 50, {.particles = 1000, .proposal = proposal, .threshold = threshold});
      const MomentComparison filtering(filtered.moments.result(), exact.mean, exact.covariance);
      EXPECT_TRUE(filtering.means.agrees()) << filtering.means.largest();
      EXPECT_TRUE(filtering.covariances.agrees()) << filtering.covariances.largest();
      const MomentComparison other(filtered.moments.result(), exact.smoothed_mean, exact.smoothed);
      EXPECT_FALSE(other.means.agrees()) << "smoothed moments must be told apart";
      EXPECT_FALSE(other.covariances.agrees()) << "smoothed moments must be told apart";
    }
  }
}

/// A cloud far from the origin: the covariance must not be lost in the squares of the mean.
TEST(PosteriorMoments, KeepTheirDigitsFarFromTheOrigin) {
  const parallel::Communicator serial;
  const ParticleLayout layout(1, 100, 1, 0);
  PosteriorMoments<double> moments(layout, serial, 1, 1);
  std::vector<double> states(static_cast<std::size_t>(layout.blocks() * block_lanes), 0.0);
  std::vector<double> weights(states.size(), 0.0);
  for (const Segment& segment : layout.local_segments()) {
    for (std::int64_t p = segment.first_lane; p < segment.end_lane(); ++p) {
      const auto lane = static_cast<std::size_t>(segment.local_block * block_lanes + p);
      states[lane] = 1e8 + (p % 2 == 0 ? 1 : -1);
      weights[lane] = 0.01;
    }
  }
  moments.add({.time = 0, .layout = &layout, .rows = 1, .states = states.data(), .weights = weights.data()});
  EXPECT_NEAR(moments.result().mean[0], 1e8, 1e-6);
  EXPECT_NEAR(moments.result().covariance[0], 1, 1e-7);
}

double forecast_at(const ObservationForecasts& all, std::int64_t horizon, std::int64_t trial, std::int64_t time,
                   std::int64_t channel) {
  return all
      .mean[static_cast<std::size_t>(((horizon * all.trials + trial) * all.times + time) * all.channels + channel)];
}

TEST(Forecasts, AreTheKalmanPredictions) {
  const auto linear = with_everything(9);
  const auto model = linear.linear();
  const auto exact = linear.kalman();
  const Filtered filtered(linear, 50, {.particles = 500});
  const auto& found = filtered.forecaster.result();
  ASSERT_EQ(found.horizons, (std::vector<std::int64_t>{0, 1, 3}));
  Comparison right, late;
  std::vector<double> values(static_cast<std::size_t>(found.trials));
  for (std::int64_t h = 0; h < 3; ++h) {
    const std::int64_t horizon = found.horizons[static_cast<std::size_t>(h)];
    for (std::int64_t t = 0; t < found.times; ++t) {
      for (std::int64_t d = 0; d < found.channels; ++d) {
        for (std::int64_t b = 0; b < found.trials; ++b)
          values[static_cast<std::size_t>(b)] = forecast_at(found, h, b, t, d);
        if (t < horizon) {
          for (const double value : values) EXPECT_TRUE(std::isnan(value)) << "nothing to forecast from";
          continue;
        }
        const auto expected = [&](std::int64_t steps) {
          const Vector x =
              model.readout * exact.forecast(model, t - steps, steps).mean + model.levels[static_cast<std::size_t>(t)];
          return x[d];
        };
        right.add(values, expected(horizon));
        if (horizon > 0) late.add(values, expected(horizon - 1));
      }
    }
  }
  EXPECT_TRUE(right.agrees()) << right.largest();
  EXPECT_FALSE(late.agrees()) << "a forecast from one more observation must be told apart";
}

/// Without data latents are Gaussian at every step, and the mean of exp(s) is that of a log-normal variable: the
/// forecast's noise and link must be right.
TEST(Forecasts, AverageTheLinkOverTheNoise) {
  auto options = testing::linear_options();
  LinearCase linear(options, 3, 0, 5);
  std::ranges::fill(linear.one.observations, std::numeric_limits<double>::quiet_NaN());
  const auto model = linear.linear();
  const auto exact = linear.kalman();
  options.observation.link = config::Link::exponential;
  const LinearCase exponential(options, 3, 0, 5);
  auto unseen = exponential;
  unseen.one = linear.one;
  const Filtered filtered(unseen, 100, {.particles = 500, .proposal = config::Proposal::bootstrap});
  const auto& found = filtered.forecaster.result();
  Comparison right, without_noise;
  std::vector<double> values(static_cast<std::size_t>(found.trials));
  for (std::int64_t t = 3; t < found.times; ++t) {
    for (std::int64_t d = 0; d < found.channels; ++d) {
      const auto z = exact.forecast(model, t - 3, 3);
      const double mean = (model.readout * z.mean + model.levels[static_cast<std::size_t>(t)])[d];
      const double variance = (model.readout * z.covariance * model.readout.transpose())(d, d);
      const double narrow = (model.readout * (z.covariance - model.noise) * model.readout.transpose())(d, d);
      for (std::int64_t b = 0; b < found.trials; ++b)
        values[static_cast<std::size_t>(b)] = forecast_at(found, 2, b, t, d);
      right.add(values, std::exp(mean + variance / 2));
      without_noise.add(values, std::exp(mean + narrow / 2));
    }
  }
  EXPECT_TRUE(right.agrees()) << right.largest();
  EXPECT_FALSE(without_noise.agrees()) << "a step without noise must be told apart";
}

TEST(Forecasts, NeedHorizonsThatAscend) {
  const auto linear = with_everything(4);
  for (const auto& horizons : {std::vector<std::int64_t>{1, 1}, {3, 2}, {-1}, {1 << 16}})
    EXPECT_THROW(Filtered(linear, 1, {.particles = 2}, horizons), ConfigurationError);
}

TEST(Genealogy, GivesTheSmoothedMoments) {
  const auto linear = with_everything(8);
  const auto exact = linear.kalman();
  for (const double threshold : {1.0, 0.5}) {
    SCOPED_TRACE(threshold);
    Filtered filtered(linear, 60, {.particles = 2000, .threshold = threshold});
    const auto smoothed = smooth_by_genealogy(filtered.history);
    const MomentComparison right(smoothed.moments, exact.smoothed_mean, exact.smoothed);
    EXPECT_TRUE(right.means.agrees()) << right.means.largest();
    EXPECT_TRUE(right.covariances.agrees()) << right.covariances.largest();
    const MomentComparison filtering(smoothed.moments, exact.mean, exact.covariance);
    EXPECT_FALSE(filtering.means.agrees()) << "filtered moments must be told apart";
    for (std::int64_t trial = 0; trial < 60; ++trial) {
      const double* sizes = smoothed.sample_size.data() + trial * 8;
      EXPECT_GT(sizes[7], 2 * sizes[0]) << "paths meet in few ancestors";
      EXPECT_LE(sizes[7], 2000);
      EXPECT_GE(sizes[0], 1);
    }
  }
}

TEST(BackwardSimulation, DrawsFromTheSmoothedPaths) {
  const auto linear = with_everything(8);
  const auto exact = linear.kalman();
  constexpr std::int64_t trials = 200;
  constexpr std::int64_t count = 20;
  Filtered filtered(linear, trials, {.particles = 300});
  const auto found =
      simulate_backward(linear.model, linear.parameters, filtered.data.view(), filtered.history, count, {.seed = 4});
  ASSERT_EQ(found.states.size(), static_cast<std::size_t>(trials * count * 8 * 2));
  const auto deviation = [&](std::int64_t trial, std::int64_t j, std::int64_t t, std::int64_t r) {
    return found.states[static_cast<std::size_t>(((trial * count + j) * 8 + t) * 2 + r)] -
           exact.smoothed_mean[static_cast<std::size_t>(t)][r];
  };
  /// Mean over the trajectories of each trial.
  std::vector<double> values(static_cast<std::size_t>(trials));
  const auto average = [&](const auto& term) {
    for (std::int64_t b = 0; b < trials; ++b) {
      double sum = 0;
      for (std::int64_t j = 0; j < count; ++j) sum += term(b, j);
      values[static_cast<std::size_t>(b)] = sum / static_cast<double>(count);
    }
  };
  Comparison means, filtered_means, covariances, lagged, unrelated;
  for (std::int64_t t = 0; t < 8; ++t) {
    const auto at = static_cast<std::size_t>(t);
    for (std::int64_t r = 0; r < 2; ++r) {
      average([&](auto b, auto j) { return deviation(b, j, t, r); });
      means.add(values, 0);
      filtered_means.add(values, exact.mean[at][r] - exact.smoothed_mean[at][r]);
      for (std::int64_t q = 0; q < 2; ++q) {
        average([&](auto b, auto j) { return deviation(b, j, t, r) * deviation(b, j, t, q); });
        covariances.add(values, exact.smoothed[at](r, q));
        if (t == 7) continue;
        average([&](auto b, auto j) { return deviation(b, j, t, r) * deviation(b, j, t + 1, q); });
        lagged.add(values, exact.lagged[at](r, q));
        unrelated.add(values, 0);
      }
    }
  }
  EXPECT_TRUE(means.agrees()) << means.largest();
  EXPECT_TRUE(covariances.agrees()) << covariances.largest();
  EXPECT_TRUE(lagged.agrees()) << lagged.largest() << ": steps of one path belong together";
  EXPECT_FALSE(filtered_means.agrees()) << "filtered means must be told apart";
  EXPECT_FALSE(unrelated.agrees()) << "steps drawn each for itself must be told apart";
}

TEST(BackwardSimulation, ChangesWithItsSeedAlone) {
  const auto linear = with_everything(5);
  Filtered filtered(linear, 3, {.particles = 100});
  const auto draw = [&](const FilterRandomness& randomness) {
    return simulate_backward(linear.model, linear.parameters, filtered.data.view(), filtered.history, 4, randomness)
        .states;
  };
  const auto one = draw({.seed = 4});
  EXPECT_EQ(draw({.seed = 4}), one);
  EXPECT_NE(draw({.seed = 5}), one);
  EXPECT_NE(draw({.seed = 4, .iteration = 1}), one);
}

TEST(FilterHistory, SaysWhatItNeedsAndRefusesMore) {
  const parallel::Communicator serial;
  const ParticleLayout layout(1, 100000, 1, 0);
  const std::int64_t needed = FilterHistory<float>::bytes_per_rank(layout, 3, 9640);
  EXPECT_GT(needed, 100000LL * 9640 * 3 * 4);
  EXPECT_LT(needed, 100000LL * 9640 * 40);
  try {
    FilterHistory<float>(layout, serial, 3, 9640, needed - 1);
    FAIL() << "must be refused";
  } catch (const ConfigurationError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("1 trials x 9640 steps x 100000 particles"), std::string::npos) << message;
    EXPECT_NE(message.find("GiB are allowed"), std::string::npos) << message;
  }
  // Four ranks need a quarter each, to a block.
  const std::int64_t shared = FilterHistory<float>::bytes_per_rank(ParticleLayout(1, 100000, 4, 2), 3, 9640);
  EXPECT_NEAR(static_cast<double>(shared), static_cast<double>(needed) / 4, 0.001 * static_cast<double>(needed));
  const ParticleLayout small(1, 10, 1, 0);
  FilterHistory<double> history(small, serial, 2, 5, needed);
  EXPECT_THROW(history.particles(0), InternalError) << "no step was added";
}

}  // namespace
}  // namespace rankflow::smc
