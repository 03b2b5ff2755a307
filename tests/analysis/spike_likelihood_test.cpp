#include "analysis/spike_likelihood.hpp"

#include <numbers>

#include <gmock/gmock.h>

#include "analysis/analysis_support.hpp"
#include "analysis/psth.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using testing::DoubleNear;
using testing::Pointwise;

TEST(SpikeScores, AreLogProbabilities) {
  double probability = 0;
  for (int count = 0; count < 60; ++count)
    probability += std::exp(spike_scores(single({double(count)}), single({3.7}))[0].log_likelihood);
  EXPECT_NEAR(probability, 1, 1e-13);
  EXPECT_NEAR(spike_scores(single({2}), single({3}))[0].log_likelihood, std::log(9.0 / 2) - 3, 1e-14);
}

TEST(SpikeScores, LeaveMissingBinsOut) {
  const Series counts{1, 3, 2, {1, 4, missing, 2, 3, 0}}, rates{1, 3, 2, {1, 1, 1, missing, 2, 0}};
  const auto found = spike_scores(counts, rates);
  EXPECT_EQ(found[0].spikes, 4);
  EXPECT_EQ(found[1].spikes, 4);
  EXPECT_EQ(total(found).spikes, 8);
}

TEST(SpikeScores, NameTheRateThatCannotBe) {
  for (const double wrong : {0.0, -1.0, std::numeric_limits<double>::infinity()})
    EXPECT_THROW(spike_scores(single({1}), single({wrong})), NumericalError);
}

TEST(BitsPerSpike, OfTwoRatesIsTheirInformation) {
  // 30 spikes in 10 bins of rate 3, 10 in 10 bins of rate 1, against the mean rate 2: (30 log 3/2 + 10 log 1/2) / 40
  // log 2.
  Series counts{2, 10, 1}, rates = counts;
  counts.values.assign(20, 1);
  rates.values.assign(20, 1);
  std::fill_n(counts.values.begin(), 10, 3);
  std::fill_n(rates.values.begin(), 10, 3);
  const double expected = (30 * std::log(1.5) + 10 * std::log(0.5)) / (40 * std::numbers::ln2);
  const auto mean = constant_rates(2, 10, std::vector<double>{2});
  EXPECT_NEAR(bits_per_spike(counts, rates, mean), expected, 1e-14);
  EXPECT_EQ(bits_per_spike(counts, mean, mean), 0);
  EXPECT_NEAR(bits_per_spike(total(spike_scores(counts, rates)).log_likelihood, total(spike_scores(counts, mean))),
              expected, 1e-14);
  // One of the bins of rate 3 drops out: the expected counts no longer balance, 3 − 2 = 1 more stays.
  auto holed = mean;
  holed.values[0] = missing;
  EXPECT_NEAR(bits_per_spike(counts, rates, holed),
              (27 * std::log(1.5) + 10 * std::log(0.5) + 1) / (37 * std::numbers::ln2), 1e-14);
}

TEST(Psth, AveragesTrialsOfACondition) {
  const Series counts{3, 2, 1, {1, 0, 3, 2, 10, missing}};
  const std::vector<std::int64_t> condition{0, 0, 1};
  const auto table = psth(counts, condition, 2, {.prior_trials = 0});
  EXPECT_THAT(std::vector(table.values.begin(), table.values.begin() + 3),
              Pointwise(DoubleNear(1e-15), {2.0, 1.0, 10.0}));
  EXPECT_TRUE(std::isnan(table.values[3]));
  // Mean rate 16/5 as one trial more.
  const auto drawn = psth(counts, condition, 2, {.prior_trials = 1});
  EXPECT_THAT(drawn.values, Pointwise(DoubleNear(1e-14), {7.2 / 3, 5.2 / 3, 13.2 / 2, 3.2}));
  const std::vector<std::int64_t> wanted{1, 0, 1};
  EXPECT_THAT(rates_of_conditions(drawn, wanted).values,
              Pointwise(DoubleNear(1e-14), {6.6, 3.2, 2.4, 5.2 / 3, 6.6, 3.2}));
}

TEST(Psth, SmoothsSpikesAndTrialsAlike) {
  // Constant counts stay constant, at the ends too and where trials end early.
  Series counts{2, 30, 1, std::vector<double>(60, 2.0)};
  for (std::size_t t = 50; t < 60; ++t) counts.values[t] = missing;
  const std::vector<std::int64_t> none;
  const auto table = psth(counts, none, 1, {.smoothing = 3});
  EXPECT_THAT(table.values, Pointwise(DoubleNear(1e-13), std::vector<double>(30, 2.0)));
}

TEST(Psth, HasNoRateOfZero) {
  const auto table = psth(single(std::vector<double>(10, 0.0)), {}, 1);
  for (const double rate : table.values) EXPECT_NEAR(rate, 0.05 / 2, 1e-15);
  EXPECT_THROW(psth(single({missing, missing}), {}, 1), InputDataError);
  EXPECT_THROW(psth(single({1, 0}), std::vector<std::int64_t>{2}, 2), InternalError);
}

TEST(Psth, PredictsNewTrialsBetterThanTheMean) {
  // Rates 0.1 and 0.5 in alternating blocks; 100 trials to learn from, 100 new ones to score.
  Series train{100, 40, 1}, fresh = train;
  for (const auto& [series, index] : {std::pair{&train, 1U}, {&fresh, 5U}}) {
    const auto low = poisson_series(100, 40, 1, 0.1, index), high = poisson_series(100, 40, 1, 0.5, index + 1);
    for (std::size_t i = 0; i < 4000; ++i) series->values.push_back(i % 40 < 20 ? low.values[i] : high.values[i]);
  }
  const std::vector<std::int64_t> all_one(100, 0);
  const auto rates = rates_of_conditions(psth(train, {}, 1), all_one);
  const auto mean = constant_rates(100, 40, std::vector<double>{0.3});
  // Information of the true rates: (0.1 log(1/3) + 0.5 log(5/3)) / 0.6 log 2 = 0.350; learned from 2000 bins, each of
  // 40 rates costs half a nat per 100 trials: 40 · 0.5 nats of about 1200 spikes, 0.024 bits. Spread: log ratios of
  // +-0.8 per spike over 1200 spikes, 0.03 bits.
  EXPECT_NEAR(bits_per_spike(fresh, rates, mean), 0.350 - 0.024, 4.5 * 0.03);
}

}  // namespace
}  // namespace rankflow::analysis
