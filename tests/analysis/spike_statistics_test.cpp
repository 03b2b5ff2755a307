#include "analysis/spike_statistics.hpp"

#include <gmock/gmock.h>

#include "analysis/analysis_support.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

TEST(SpikeStatistics, OfARegularTrainHaveNoVariation) {
  Series counts{2, 100, 1};
  for (int t = 0; t < 200; ++t) counts.values.push_back(t % 5 == 0 ? 1 : 0);
  const auto found = spike_statistics(counts);
  EXPECT_EQ(found.intervals[0], 38);  // 19 in each trial, none between trials
  EXPECT_NEAR(found.interval_mean[0], 5, 1e-14);
  EXPECT_EQ(found.interval_cv[0], 0);
  EXPECT_NEAR(found.mean[0], 0.2, 1e-15);
  EXPECT_NEAR(found.fano[0], 0.8, 1e-14);
}

TEST(SpikeStatistics, SpreadTheSpikesOfABinOverIt) {
  // 4 in every bin: a regular train of interval 1/4, also across the bins' borders.
  const auto found = spike_statistics(single({4, 4, 4}));
  EXPECT_EQ(found.intervals[0], 11);
  EXPECT_NEAR(found.interval_mean[0], 0.25, 1e-15);
  EXPECT_NEAR(found.interval_cv[0], 0, 1e-15);
  // Times 0.25, 0.75, 1.5.
  EXPECT_NEAR(spike_statistics(single({2, 1})).interval_mean[0], 0.625, 1e-15);
}

TEST(SpikeStatistics, DoNotSpanBinsThatWereNotObserved) {
  const auto found = spike_statistics(single({1, 0, 1, missing, 1, 1}));
  EXPECT_EQ(found.intervals[0], 2);
  EXPECT_NEAR(found.interval_mean[0], 1.5, 1e-15);
  EXPECT_NEAR(spike_statistics(single({1, 0, 1, 0, 1, 1})).interval_mean[0], 5.0 / 3, 1e-15) << "control";
}

TEST(SpikeStatistics, OfAPoissonProcessVaryAsExponentialTimes) {
  const double rate = 0.02;
  const auto found = spike_statistics(poisson_series(1, 1000000, 1, rate, 7));
  const auto n = static_cast<double>(found.intervals[0]);
  // Mean 1/rate of standard error mean/√n; the coefficient of variation of n exponential times has standard error 1/√n
  // (delta method), and bins shift it by less than the rate.
  EXPECT_NEAR(found.interval_mean[0] * rate, 1, 4.5 / std::sqrt(n));
  EXPECT_NEAR(found.interval_cv[0], 1, 4.5 / std::sqrt(n) + rate);
  EXPECT_NEAR(found.fano[0], 1, 4.5 * std::sqrt(2 / 1e6 + 1 / (rate * 1e6)));
}

TEST(SpikeStatistics, OfASilentChannelAreNone) {
  const auto found = spike_statistics(single({0, 0, 1, 0}));
  EXPECT_EQ(found.intervals[0], 0);
  EXPECT_TRUE(std::isnan(found.interval_mean[0]));
  EXPECT_TRUE(std::isnan(found.interval_cv[0]));
}

TEST(SpikeStatistics, NeedCounts) {
  for (const double wrong : {-1.0, 0.5, std::numeric_limits<double>::infinity()})
    EXPECT_THROW(spike_statistics(single({0, wrong})), InputDataError);
}

TEST(PopulationStatistics, AreThoseOfTheSum) {
  const Series counts{1, 4, 2, {1, 2, 0, 0, 3, missing, 0, 1}};
  const auto found = population_statistics(counts);  // sums 3, 0, –, 1
  EXPECT_NEAR(found.mean, 4.0 / 3, 1e-15);
  EXPECT_NEAR(found.sd, std::sqrt(14.0 / 9), 1e-15);
  EXPECT_NEAR(found.fano, 14.0 / 12, 1e-15);
  EXPECT_NEAR(found.silent, 1.0 / 3, 1e-15);
}

}  // namespace
}  // namespace rankflow::analysis
