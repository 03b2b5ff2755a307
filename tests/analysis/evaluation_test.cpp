#include "analysis/evaluation.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "analysis/analysis_support.hpp"
#include "analysis/evaluation_report.hpp"
#include "analysis/state_divergence.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using config::ObservationKind;
using testing::HasSubstr;
using testing::Not;

const std::vector<double>& values_of(const Evaluation& evaluation, const std::string& name) {
  const auto found = std::find_if(evaluation.statistics.begin(), evaluation.statistics.end(),
                                  [&](const Statistic& statistic) { return statistic.name == name; });
  if (found == evaluation.statistics.end()) throw InternalError("no statistic '{}'", name);
  return found->values;
}

/// Channels of unlike means, spreads and rhythms that share a common signal.
Series shared_signal(std::int64_t trials, std::int64_t times, std::uint32_t index) {
  auto series = normal_series(trials, times, 4, index);
  for (std::size_t i = 0; i + 3 < series.values.size(); i += 4)
    for (std::size_t d = 1; d < 4; ++d)
      series.values[i + d] = double(d) * (5 + series.values[i + d] + 0.5 * double(d) * series.values[i]) +
                             (i >= 4 ? series.values[i - 4] : 0);
  return series;
}

Evaluation compare(Series data, Series generated, const config::EvaluateOptions& options = {},
                   ObservationKind kind = ObservationKind::gaussian) {
  return evaluate({.data = std::move(data), .generated = std::move(generated), .kind = kind, .bin_width = 0.01},
                  options, parallel::Communicator{});
}

TEST(EvaluateValues, FindsNoDifferenceToTheDataThemselves) {
  const auto data = shared_signal(1, 300, 1);
  const auto found = compare(data, data), other = compare(data, shared_signal(1, 300, 2));
  for (const auto* name :
       {"state_divergence", "state_divergence_complete", "mean_error", "sd_error", "pairwise_rmse"}) {
    EXPECT_EQ(values_of(found, name).at(0), 0) << name;
    EXPECT_NE(values_of(other, name).at(0), 0) << "control: " << name;
  }
  // The square root turns roundings of 1e-15 into 3e-8.
  EXPECT_NEAR(values_of(found, "spectrum_distance").at(0), 0, 1e-7);
  EXPECT_GT(values_of(other, "spectrum_distance").at(0), 1e-3);
  EXPECT_NEAR(values_of(found, "pairwise_correlation").at(0), 1, 1e-14);
  EXPECT_LT(values_of(other, "pairwise_correlation").at(0), 1 - 1e-6);
}

TEST(EvaluateValues, ScalesAsAsked) {
  const auto data = shared_signal(1, 200, 1);
  auto shifted = data;
  for (auto& value : shifted.values) value = 2 * value + 7;
  const auto divergence = [&](config::Scaling scaling) {
    return values_of(compare(data, shifted, {.scaling = scaling}), "state_divergence_complete").at(0);
  };
  // Own scores of a shifted and stretched copy are those of the original, up to rounding of values near 10.
  EXPECT_NEAR(divergence(config::Scaling::own), 0, 1e-11);
  EXPECT_GT(divergence(config::Scaling::data), 1);
  EXPECT_EQ(divergence(config::Scaling::none),
            state_divergence(data, shifted, {.seed = 1}, parallel::Communicator{}).complete);
}

TEST(EvaluateValues, SmoothsTheGeneratedSeriesOnly) {
  // Data that were smoothed agree with a smoothed model, and do not with the model as it is.
  const auto generated = normal_series(1, 400, 2, 1);
  auto data = generated;
  for (std::int64_t t = 0; t < 400; ++t)
    for (std::int64_t d = 0; d < 2; ++d) {
      double sum = 0;
      for (std::int64_t k = -7; k <= 7; ++k) {
        const auto place = t + k < 0 ? -(t + k) : t + k > 399 ? 798 - (t + k) : t + k;
        sum += (0.5 + 0.5 * std::cos(3.141592653589793 * double(k) / 7)) * generated.at(0, place, d);
      }
      data.values[data.row(0, t) + static_cast<std::size_t>(d)] = sum;
    }
  const auto smoothed = compare(data, generated, {.smoothing = config::GeneratedSmoothing::hann15});
  EXPECT_NEAR(values_of(smoothed, "state_divergence_complete").at(0), 0, 1e-11);
  EXPECT_NEAR(values_of(smoothed, "spectrum_distance").at(0), 0, 1e-7);
  EXPECT_GT(values_of(compare(data, generated), "spectrum_distance").at(0), 0.3);
}

TEST(EvaluateValues, ComparesEachTrialOrAllTogether) {
  const auto data = shared_signal(1, 100, 1), generated = shared_signal(3, 120, 2);
  const auto each = compare(data, generated, {.discard = 20});
  const auto pooled = compare(data, generated, {.trials = config::TrialComparison::pooled, .discard = 20});
  EXPECT_EQ(each.series, 3);
  EXPECT_EQ(values_of(each, "mean_error").size(), 3U);
  EXPECT_EQ(values_of(pooled, "mean_error").size(), 1U);
  const auto second = compare(data, between(one_trial(generated, 1), 20, 120));
  EXPECT_EQ(values_of(each, "pairwise_rmse").at(1), values_of(second, "pairwise_rmse").at(0));
  EXPECT_NE(values_of(each, "pairwise_rmse").at(0), values_of(second, "pairwise_rmse").at(0)) << "control";
  // The mean over trials is that of the profiles; trials of equal length have the pooled mean.
  const auto profile = [](const Evaluation& evaluation) { return evaluation.profiles.at(2); };
  ASSERT_EQ(profile(each).name, "mean");
  for (std::size_t d = 0; d < 4; ++d) EXPECT_NEAR(profile(each).generated[d], profile(pooled).generated[d], 1e-12);
}

TEST(EvaluateValues, SaysWhatCannotBeCompared) {
  const auto data = shared_signal(1, 50, 1);
  EXPECT_THROW(compare(data, normal_series(1, 50, 3, 1)), InputDataError);
  EXPECT_THROW(compare(data, shared_signal(1, 50, 2), {.discard = 49}), ConfigurationError);
  auto flat = data;
  for (std::size_t i = 2; i < flat.values.size(); i += 4) flat.values[i] = 0.3;
  try {
    compare(data, flat);
    FAIL() << "a flat channel has no z-score";
  } catch (const InputDataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("channel 2 of the generated series is constant"));
  }
  EXPECT_NO_THROW(compare(data, flat, {.scaling = config::Scaling::none})) << "control";
}

TEST(EvaluateValues, NotesTrialsOfAnotherLength) {
  const auto data = shared_signal(1, 50, 1);
  EXPECT_TRUE(compare(data, data).notes.empty());
  const auto longer = compare(data, shared_signal(1, 60, 2));
  ASSERT_EQ(longer.notes.size(), 1U);
  EXPECT_EQ(longer.frequency.size(), 25U);
  EXPECT_NEAR(longer.frequency[1], 1 / (50 * 0.01), 1e-12);
}

TEST(EvaluateCounts, ComparesWhatSpikesHave) {
  const auto data = poisson_series(20, 100, 3, 0.3, 1);
  const auto same = compare(data, data, {}, ObservationKind::poisson);
  EXPECT_EQ(same.series, 1) << "several trials are pooled";
  for (const auto* name : {"rate_error", "interval_mean_error", "interval_cv_error", "fano_error", "silent_bins"})
    EXPECT_EQ(values_of(same, name).at(0), 0) << name;
  EXPECT_EQ(values_of(same, "population_sd_ratio").at(0), 1);
  const auto doubled = compare(data, poisson_series(20, 100, 3, 0.6, 5), {}, ObservationKind::poisson);
  // Rates of about 2000 bins: 30 Hz and 60 Hz, each with a relative error of 1/√600 per channel.
  EXPECT_NEAR(values_of(doubled, "rate_error").at(0), 1, 4.5 * 2 * std::sqrt(1.5 / 600));
  EXPECT_NEAR(values_of(doubled, "population_mean_ratio").at(0), 2, 4.5 * 2 * std::sqrt(1.5 / 1800));
  EXPECT_LT(values_of(doubled, "silent_bins").at(0), -0.1);
  EXPECT_NEAR(doubled.profiles.at(0).data[0], 30, 4.5 * 30 / std::sqrt(600.0));
  EXPECT_THROW(compare(normal_series(1, 9, 2, 1), normal_series(1, 9, 2, 2), {}, ObservationKind::poisson),
               InputDataError);
}

TEST(EvaluateCounts, LeavesOutOfTheModelWhatTheDataLack) {
  // Trials end early in the data; the model's spikes there must not count.
  auto data = poisson_series(4, 50, 2, 0.5, 1);
  auto generated = data;
  for (std::int64_t trial = 0; trial < 4; ++trial)
    for (std::int64_t t = 30; t < 50; ++t) {
      std::fill_n(data.values.data() + data.row(trial, t), 2, missing);
      std::fill_n(generated.values.data() + generated.row(trial, t), 2, 9.0);
    }
  EXPECT_EQ(values_of(compare(data, generated, {}, ObservationKind::poisson), "rate_error").at(0), 0);
  generated.values[0] += 1;
  EXPECT_NE(values_of(compare(data, generated, {}, ObservationKind::poisson), "rate_error").at(0), 0) << "control";
}

TEST(EvaluationText, ShowsSpreadOnlyOverSeveralSeries) {
  const auto data = shared_signal(1, 60, 1);
  const auto one = text_of(compare(data, shared_signal(1, 60, 2)));
  const auto three = text_of(compare(data, shared_signal(3, 60, 2)));
  EXPECT_THAT(one, HasSubstr("1 generated trial compared with the data\n"));
  EXPECT_THAT(one, Not(HasSubstr(" sd\n")));
  EXPECT_THAT(three, HasSubstr("3 generated trials compared with the data, each by itself\n"));
  EXPECT_THAT(three, HasSubstr(" sd\n"));
  EXPECT_THAT(three, HasSubstr("spectrum_distance"));
}

}  // namespace
}  // namespace rankflow::analysis
