#include <gtest/gtest.h>
#include <mpi.h>

#include "core/error.hpp"
#include "smc/backward_simulation.hpp"
#include "smc/filter_support.hpp"
#include "smc/forecast.hpp"
#include "smc/smoothing.hpp"

namespace rankflow::smc {
namespace {

using config::Proposal;

/// What each rank found for the trials it owns, trial after trial.
std::vector<double> gather(const ParticleLayout& layout, const parallel::Communicator& comm, std::int64_t per_trial,
                           const std::vector<double>& mine) {
  std::vector<std::int64_t> counts;
  for (int rank = 0; rank < comm.size(); ++rank)
    counts.push_back((layout.first_owned_trial(rank + 1) - layout.first_owned_trial(rank)) * per_trial);
  std::vector<double> all(static_cast<std::size_t>(layout.trials() * per_trial));
  comm.all_gather<double>(mine, all, counts);
  return all;
}

struct Outcome {
  std::vector<double> mean, covariance, forecast, smoothed_mean, smoothed_covariance, sizes, paths;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

struct Setting {
  std::int64_t trials, particles;
  Proposal proposal;
  double threshold;
};

template <class T>
Outcome outcome(const Setting& setting, const parallel::Communicator& comm, std::uint64_t seed) {
  constexpr std::int64_t times = 6, rank = 2, channels = 3, count = 5;
  const LatentModel model(testing::small_options(9, rank), channels, 1);
  const testing::SmallData data(model, setting.trials, times);
  const auto parameters = testing::shaken_parameters(model);
  const FilterRandomness randomness{.seed = seed};
  ParticleFilter<T> filter(
      model, {.particles = setting.particles, .proposal = setting.proposal, .threshold = setting.threshold}, comm,
      setting.trials, times);
  const auto& layout = filter.layout();
  PosteriorMoments<T> moments(layout, comm, rank, times);
  Forecaster<T> forecaster(model, parameters, data.view(), layout, comm, {0, 2}, randomness);
  FilterHistory<T> history(layout, comm, rank, times, 1LL << 30);
  filter.run(parameters, data.view(), randomness, [&](const WeightedParticles<T>& particles) {
    moments.add(particles);
    forecaster.add(particles);
    history.add(particles);
  });
  const auto smoothed = smooth_by_genealogy(history);
  const auto paths = simulate_backward(model, parameters, data.view(), history, count, randomness);
  const auto all = [&](std::int64_t per_trial, const std::vector<double>& mine) {
    return gather(layout, comm, per_trial, mine);
  };
  // Horizons come first among the forecasts: put trials first, and a number in the place of NaN.
  const auto& forecasts = forecaster.result();
  std::vector<double> by_trial;
  for (std::int64_t trial = 0; trial < forecasts.trials; ++trial)
    for (std::int64_t h = 0; h < 2; ++h)
      for (std::int64_t i = 0; i < times * channels; ++i) {
        const double value =
            forecasts.mean[static_cast<std::size_t>((h * forecasts.trials + trial) * times * channels + i)];
        by_trial.push_back(std::isnan(value) ? -1e300 : value);
      }
  return {all(times * rank, moments.result().mean),
          all(times * rank * rank, moments.result().covariance),
          all(2 * times * channels, by_trial),
          all(times * rank, smoothed.moments.mean),
          all(times * rank * rank, smoothed.moments.covariance),
          all(times, smoothed.sample_size),
          all(count * times * rank, paths.states)};
}

template <class T>
void expect_equal(const Setting& setting) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const parallel::Communicator serial;
  const auto alone = outcome<T>(setting, serial, 1);
  const auto together = outcome<T>(setting, world, 1);
  EXPECT_EQ(together.mean, alone.mean);
  EXPECT_EQ(together.covariance, alone.covariance);
  EXPECT_EQ(together.forecast, alone.forecast);
  EXPECT_EQ(together.smoothed_mean, alone.smoothed_mean);
  EXPECT_EQ(together.smoothed_covariance, alone.smoothed_covariance);
  EXPECT_EQ(together.sizes, alone.sizes);
  EXPECT_EQ(together.paths, alone.paths);
  const auto other = outcome<T>(setting, world, 2);
  EXPECT_NE(other.mean, alone.mean) << "another seed";
  EXPECT_NE(other.forecast, alone.forecast) << "another seed";
  EXPECT_NE(other.smoothed_mean, alone.smoothed_mean) << "another seed";
  EXPECT_NE(other.paths, alone.paths) << "another seed";
}

TEST(PosteriorRanks, GiveTheBitsOfOneProcess) {
  const Setting settings[] = {{1, 5, Proposal::optimal, 1.0},
                              {7, 20, Proposal::optimal, 1.0},
                              {1, 333, Proposal::bootstrap, 1.0},
                              {3, 200, Proposal::optimal, 0.5},
                              {5, 130, Proposal::bootstrap, 0.4}};
  for (const auto& setting : settings) {
    SCOPED_TRACE(::testing::Message() << setting.trials << " trials of " << setting.particles << " particles");
    expect_equal<double>(setting);
    expect_equal<float>(setting);
  }
}

TEST(PosteriorRanks, AllRefuseAHistoryThatIsTooLarge) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const ParticleLayout layout(1, 333, world.size(), world.rank());
  EXPECT_THROW(FilterHistory<float>(layout, world, 2, 10, 1000), ConfigurationError);
}

/// With a transition noise of nearly nothing no other particle explains the path that was begun.
TEST(PosteriorRanks, AllThrowWhenAPathBreaksOff) {
  const auto world = parallel::Communicator::duplicate(MPI_COMM_WORLD);
  const LatentModel model(testing::small_options(9, 2), 3, 0);
  const testing::SmallData data(model, 5, 3);
  auto parameters = testing::shaken_parameters(model);
  ParticleFilter<float> filter(model, {.particles = 100}, world, 5, 3);
  FilterHistory<float> history(filter.layout(), world, 2, 3, 1LL << 30);
  filter.run(parameters, data.view(), {}, [&](const auto& particles) { history.add(particles); });
  const auto noise = model.layout().part(std::span(parameters), model.transition_noise);
  noise[0] = noise[3] = -100;
  noise[2] = 0;
  try {
    simulate_backward(model, parameters, data.view(), history, 2, {});
    FAIL() << "distances of 1e20 standard deviations must be an error in single precision";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("no particle of trial"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace rankflow::smc
