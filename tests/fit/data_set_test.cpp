#include "fit/data_set.hpp"

#include <cmath>
#include <filesystem>
#include <numeric>
#include <random>

#include <gmock/gmock.h>

#include "analysis/smoothing.hpp"
#include "core/error.hpp"
#include "fit/data_support.hpp"
#include "io/recording_file.hpp"

namespace rankflow::fit {
namespace {

using config::ObservationKind;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

config::ArraySource inline_array(std::vector<double> values, std::vector<std::int64_t> shape) {
  config::ArraySource source;
  source.given = true;
  source.values = std::move(values);
  source.shape = std::move(shape);
  return source;
}

/// Arrays of a single trial [time, channel] or several, given inline.
config::DataOptions inline_data(std::vector<double> values, std::vector<std::int64_t> shape) {
  config::DataOptions options;
  options.arrays.observations = inline_array(std::move(values), std::move(shape));
  if (options.arrays.observations.shape.size() == 2) options.arrays.axes = "time channel";
  options.bin_width = 0.5;
  return options;
}

DataSet load(const config::DataOptions& options, ObservationKind kind = ObservationKind::gaussian) {
  return load_data(options, kind, parallel::Communicator());
}

TEST(DataSet, TakesArraysMasksAndLengths) {
  auto options = inline_data({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 3, 2});
  options.arrays.n_steps = inline_array({2, 1}, {2});
  const auto data = load(options);
  EXPECT_THAT(data.lengths, ElementsAre(2, 1));
  EXPECT_EQ(data.times, 2) << "times after the longest trial are dropped";
  EXPECT_EQ(data.sample(0, 1)[1], 4);
  EXPECT_EQ(data.sample(1, 0)[0], 7);
  EXPECT_TRUE(std::isnan(data.sample(1, 1)[0]));
  EXPECT_EQ(data.bin_width, 0.5);
}

TEST(DataSet, NaNIsAMissingSample) {
  const auto data = load(inline_data({1, 2, std::nan(""), 4}, {2, 2}));
  EXPECT_THAT(data.lengths, ElementsAre(2));
  EXPECT_TRUE(std::isnan(data.sample(0, 1)[0]));
  EXPECT_EQ(data.sample(0, 1)[1], 4);
}

TEST(DataSet, ChoosesTrialsAndChannels) {
  auto options = inline_data({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 1, 3});
  options.trials = {0, 2};
  options.exclude_channels = {1};
  const auto data = load(options);
  EXPECT_THAT(data.trial_numbers, ElementsAre(0, 2));
  EXPECT_THAT(data.channel_numbers, ElementsAre(0, 2));
  EXPECT_THAT(data.observations, ElementsAre(1, 3, 7, 9));
  options.exclude_channels = {3};
  EXPECT_THAT([&] { load(options); }, ThrowsMessage<ConfigurationError>(
                                          AllOf(HasSubstr("data.exclude_channels: channel 3"), HasSubstr("has 3"))));
  options.exclude_channels = {0, 1, 2};
  EXPECT_THAT([&] { load(options); }, ThrowsMessage<ConfigurationError>(HasSubstr("leaves no channel")));
  options.trials = {5};
  EXPECT_THAT([&] { load(options); }, ThrowsMessage<ConfigurationError>(HasSubstr("data.trials: trial 5")));
}

TEST(DataSet, StandardisesByItselfOrByWhatIsKnown) {
  auto options = inline_data({1, 7, 3, 7}, {2, 2});
  options.standardise = true;
  const auto data = load(options);
  EXPECT_THAT(data.observations, ElementsAre(-1, 0, 1, 0));
  ASSERT_TRUE(data.standardisation);
  EXPECT_THAT(data.standardisation->mean, ElementsAre(2, 7));
  const Standardisation known{{0, 0}, {2, 7}};
  const auto again = load_data(options, ObservationKind::gaussian, parallel::Communicator(), &known);
  EXPECT_THAT(again.observations, ElementsAre(0.5, 1, 1.5, 1));
  EXPECT_THAT([&] { load(options, ObservationKind::poisson); },
              ThrowsMessage<ConfigurationError>(HasSubstr("standardise")));
}

/// Hann-smoothed noise: two trials of 60 and 40 samples, [2, 60, 1].
struct SmoothedTrials {
  std::vector<double> before, after;
};

SmoothedTrials smoothed_trials() {
  const auto kernel = analysis::hann_window(15);
  SmoothedTrials made;
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (const std::size_t length : {60U, 40U}) {
    std::vector<double> noise(length + 14);
    for (auto& value : noise) value = normal(random);
    for (std::size_t t = 0; t < 60; ++t) {
      made.before.push_back(t < length ? noise[t + 7] : 0);
      made.after.push_back(
          t < length ? std::inner_product(kernel.begin(), kernel.end(), noise.begin() + static_cast<long>(t), 0.0) : 0);
    }
  }
  return made;
}

TEST(DataSet, UndoesASmoothingPerTrialBeforeItStandardises) {
  const auto made = smoothed_trials();
  auto options = inline_data(made.after, {2, 60, 1});
  options.arrays.n_steps = inline_array({60, 40}, {2});
  options.unsmooth = config::SmoothingWindow::hann15;
  const auto data = load(options);
  double lost = 0, whole = 0, untouched = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    lost += std::pow(data.observations[i] - made.before[i], 2);
    untouched += std::pow(made.after[i] - made.before[i], 2);
    whole += std::pow(made.before[i], 2);
  }
  // The window keeps nothing of 12 directions, and few samples leave some more unresolved: 12 of 40 and of 60.
  EXPECT_LT(lost, 0.4 * whole);
  EXPECT_GT(untouched, whole) << "control";
  EXPECT_TRUE(std::isnan(data.sample(1, 40)[0]));
  options.standardise = true;
  const auto scaled = load(options);
  EXPECT_NEAR(scaled.observations[3],
              (data.observations[3] - scaled.standardisation->mean[0]) / scaled.standardisation->std[0], 1e-12);
  auto counts = inline_data({1, 2}, {2, 1});
  counts.unsmooth = config::SmoothingWindow::hann15;
  EXPECT_THAT([&] { load(counts, ObservationKind::poisson); },
              ThrowsMessage<ConfigurationError>(HasSubstr("data.unsmooth is for real values")));
}

TEST(DataSet, RefusesToUndoASmoothingThatWasNone) {
  auto values = smoothed_trials().after;
  auto options = inline_data(values, {120, 1});
  options.unsmooth = config::SmoothingWindow::hann15;
  // The two trials as one: the jump between them is not smooth.
  EXPECT_THAT([&] { load(options); }, ThrowsMessage<InputDataError>(HasSubstr("cannot have been smoothed")));
  values[7] = std::nan("");
  options.arrays.observations = inline_array(values, {120, 1});
  EXPECT_THAT([&] { load(options); }, ThrowsMessage<InputDataError>(HasSubstr("trial 0 lacks samples")));
}

TEST(DataSet, RefusesWhatCannotBeFitted) {
  EXPECT_THAT([] { load(config::DataOptions()); }, ThrowsMessage<ConfigurationError>(HasSubstr("data.file")));
  EXPECT_THAT(
      [] {
        load(inline_data({1, 0.5}, {1, 2}), ObservationKind::poisson);
      },
      ThrowsMessage<InputDataError>(AllOf(HasSubstr("0.5"), HasSubstr("channel 1"))));
  EXPECT_THAT(
      [] {
        load(inline_data({1, -2}, {1, 2}), ObservationKind::poisson);
      },
      ThrowsMessage<InputDataError>(HasSubstr("-2")));
  auto empty = inline_data({1, 2}, {2, 1, 1});
  empty.arrays.n_steps = inline_array({1, 0}, {2});
  EXPECT_THAT([&] { load(empty); }, ThrowsMessage<InputDataError>(HasSubstr("trial 1 has no observed sample")));
}

TEST(DataSet, NamesTheChannelThatTellsNothing) {
  EXPECT_THAT(
      [] {
        require_informative_channels(load(inline_data({1, 0, 2, 0}, {2, 2})));
      },
      ThrowsMessage<InputDataError>(AllOf(HasSubstr("channel 1 is 0"), HasSubstr("exclude_channels = [1]"))));
  const double none = std::nan("");
  EXPECT_THAT(
      [&] {
        require_informative_channels(load(inline_data({none, 3, none, 4}, {2, 2})));
      },
      ThrowsMessage<InputDataError>(HasSubstr("channel 0 was never observed")));
  EXPECT_NO_THROW(require_informative_channels(load(inline_data({1, 0, 2, 1}, {2, 2}))));
}

TEST(DataSet, ReadsRecordingFiles) {
  const parallel::Communicator comm;
  const auto path = std::filesystem::path(testing::TempDir()) / "fit_data_set_test.h5";
  io::Recording recording{.trials = 1,
                          .times = 2,
                          .channels = 1,
                          .inputs = 0,
                          .bin_width_s = 0.02,
                          .observation_kind = "poisson",
                          .observations = {0, 3},
                          .input_values = {},
                          .mask = {1, 1}};
  io::create_recording_file(comm, path, {}, recording).finish();
  config::DataOptions options;
  options.file = path;
  const auto data = load(options, ObservationKind::poisson);
  EXPECT_THAT(data.observations, ElementsAre(0, 3));
  EXPECT_EQ(data.bin_width, 0.02);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace rankflow::fit
