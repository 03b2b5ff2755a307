#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "parallel/draws.hpp"
#include "smc/filter_weights.hpp"
#include "smc/monte_carlo.hpp"

namespace rankflow::smc {
namespace {

using config::Resampling;
using testing::limit_of_largest;

constexpr std::int64_t L = block_lanes;
const Resampling all_schemes[] = {Resampling::multinomial, Resampling::stratified, Resampling::systematic,
                                  Resampling::residual};

/// FilterWeights of one process, driven by weights given per particle of one trial.
class Chooser {
 public:
  Chooser(std::int64_t particles, Resampling scheme, std::int64_t trials = 1)
      : layout_(trials, particles, 1, 0),
        exchange_(layout_, comm_, 1),
        weights_(layout_, {.particles = particles, .resampling = scheme}, comm_, exchange_),
        lanes_(static_cast<std::size_t>(layout_.local_blocks() * L)),
        slots_(static_cast<std::size_t>(exchange_.slot_values())) {}

  /// log_weight(trial, particle), any level.
  template <class Weight>
  void set(const Weight& log_weight) {
    for_each([&](std::int64_t trial, std::int64_t particle, std::size_t lane, std::size_t) {
      lanes_[lane] = log_weight(trial, particle);
    });
    weights_.normalise(lanes_.data());
  }

  /// Offspring of [trial][particle] at step `step`.
  std::vector<std::vector<std::int64_t>> offspring(std::uint32_t step, std::uint64_t seed = 1) {
    Genealogy genealogy{.first_slots = slots_.data()};
    weights_.choose_offspring(lanes_.data(), parallel::Stream(seed, parallel::Purpose::resampling), step, genealogy);
    std::vector<std::vector<std::int64_t>> counts(
        static_cast<std::size_t>(layout_.trials()),
        std::vector<std::int64_t>(static_cast<std::size_t>(layout_.particles())));
    for_each([&](std::int64_t trial, std::int64_t particle, std::size_t, std::size_t slot) {
      counts[static_cast<std::size_t>(trial)][static_cast<std::size_t>(particle)] = slots_[slot + 1] - slots_[slot];
    });
    return counts;
  }

  const FilterWeights& weights() const { return weights_; }

 private:
  template <class Action>
  void for_each(const Action& action) {
    for (std::int64_t b = 0; b < layout_.blocks(); ++b) {
      const Block block = layout_.block(b);
      for (std::int64_t t = 0; t < block.trials; ++t)
        for (std::int64_t k = 0; k < block.particles; ++k)
          action(block.first_trial + t, block.first_particle + k,
                 static_cast<std::size_t>(b * L + t * block.particles + k),
                 static_cast<std::size_t>(exchange_.slot_offset(b) + t * (block.particles + 1) + k));
    }
  }

  parallel::Communicator comm_;
  ParticleLayout layout_;
  OffspringExchange exchange_;
  FilterWeights weights_;
  std::vector<double> lanes_;
  std::vector<std::int64_t> slots_;
};

/// Weights of K (a multiple of 10) particles; times K they are of many sizes, of which 0 and above 1, and not near
/// whole numbers, so that 12000 draws tell means and variances.
std::vector<double> uneven_weights(std::size_t particles) {
  constexpr std::array expected = {0.3, 1.6, 0.0, 0.75, 2.35, 0.4, 1.25, 0.65, 1.45, 1.25};
  std::vector<double> weights(particles);
  for (std::size_t k = 0; k < particles; ++k) weights[k] = expected[k % 10] / static_cast<double>(particles);
  return weights;
}

double fraction(double x) {
  return x - std::floor(x);
}

/// Variance of the offspring of particle k (Douc, Cappé & Moulines 2005; Whitley 1994 for systematic).
double variance(Resampling scheme, const std::vector<double>& weights, std::size_t k) {
  const auto count = static_cast<double>(weights.size());
  const double expected = count * weights[k];
  switch (scheme) {
    case Resampling::multinomial:
      return expected * (1 - weights[k]);
    case Resampling::systematic:
      // The interval holds floor or floor + 1 of the points u + 0, 1, 2 ...
      return fraction(expected) * (1 - fraction(expected));
    case Resampling::residual: {
      double drawn = 0;
      for (const double weight : weights) drawn += fraction(count * weight);
      const double share = fraction(expected) / drawn;
      return drawn * share * (1 - share);
    }
    case Resampling::stratified: {
      // One Bernoulli variable for each stratum that the particle's interval meets.
      double begin = 0;
      for (std::size_t i = 0; i < k; ++i) begin += count * weights[i];
      double sum = 0;
      for (double stratum = std::floor(begin); stratum < begin + expected; ++stratum) {
        const double share = std::min(begin + expected, stratum + 1) - std::max(begin, stratum);
        sum += share * (1 - share);
      }
      return sum;
    }
  }
  return 0;
}

/// Counts of every particle over many draws.
struct Tally {
  Tally(Resampling scheme, const std::vector<double>& weights, std::int64_t draws) {
    const auto particles = static_cast<std::int64_t>(weights.size());
    Chooser chooser(particles, scheme);
    chooser.set([&](std::int64_t, std::int64_t k) { return std::log(weights[static_cast<std::size_t>(k)]); });
    counts.resize(weights.size());
    for (std::int64_t draw = 0; draw < draws; ++draw) {
      const auto offspring = chooser.offspring(static_cast<std::uint32_t>(draw))[0];
      EXPECT_EQ(std::accumulate(offspring.begin(), offspring.end(), std::int64_t{0}), particles);
      for (std::size_t k = 0; k < weights.size(); ++k) counts[k].push_back(static_cast<double>(offspring[k]));
    }
  }

  /// z of the mean count of particle k.
  double mean_z(std::size_t k, double expected) const {
    const auto found = testing::estimate(counts[k]);
    return found.error > 0 ? found.z(expected) : (std::abs(found.mean - expected) < 1e-9 ? 0 : 1e9);
  }
  /// z of the sample variance, whose own variance is (fourth moment - variance^2) / draws.
  double variance_z(std::size_t k, double mean, double expected) const {
    std::vector<double> squares;
    for (const double count : counts[k]) squares.push_back((count - mean) * (count - mean));
    const auto found = testing::estimate(squares);
    return found.error > 1e-9 ? found.z(expected) : (std::abs(found.mean - expected) < 1e-9 ? 0 : 1e9);
  }

  std::vector<std::vector<double>> counts;
};

class OffspringCounts : public ::testing::TestWithParam<Resampling> {};

TEST_P(OffspringCounts, AreUnbiasedWithTheKnownVariance) {
  // 20 particles: one of several trials of a block; 200: four blocks.
  for (const std::size_t particles : {20, 200}) {
    SCOPED_TRACE(particles);
    const auto weights = uneven_weights(particles);
    const Tally tally(GetParam(), weights, 12000);
    const double limit = limit_of_largest(weights.size());
    std::size_t other_scheme = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const double expected = static_cast<double>(particles) * weights[k];
      if (weights[k] == 0) {
        EXPECT_EQ(*std::ranges::max_element(tally.counts[k]), 0) << "offspring of weight zero, particle " << k;
        continue;
      }
      EXPECT_LT(std::abs(tally.mean_z(k, expected)), limit) << "mean of particle " << k;
      EXPECT_LT(std::abs(tally.variance_z(k, expected, variance(GetParam(), weights, k))), limit)
          << "variance of particle " << k;
      EXPECT_LE(variance(GetParam(), weights, k), variance(Resampling::multinomial, weights, k) + 1e-9);
      for (const auto other : all_schemes)
        if (other != GetParam() && std::abs(tally.variance_z(k, expected, variance(other, weights, k))) > limit)
          ++other_scheme;
    }
    EXPECT_GT(other_scheme, weights.size()) << "the variances must tell the schemes apart";
  }
}

/// Offspring of neighbours compete: covariance of the counts, which per-particle variances cannot show.
TEST(OffspringCounts, OfMultinomialResamplingHaveTheirCovariance) {
  const auto weights = uneven_weights(20);
  const Tally tally(Resampling::multinomial, weights, 20000);
  const double limit = limit_of_largest(weights.size() * weights.size());
  for (std::size_t a = 0; a < weights.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (weights[a] == 0 || weights[b] == 0) continue;
      std::vector<double> products;
      for (std::size_t i = 0; i < tally.counts[a].size(); ++i)
        products.push_back((tally.counts[a][i] - 20 * weights[a]) * (tally.counts[b][i] - 20 * weights[b]));
      EXPECT_LT(std::abs(testing::estimate(products).z(-20 * weights[a] * weights[b])), limit) << a << ' ' << b;
    }
  }
}

/// Equal weights leave nothing to choose, but for independent draws; also where 1 / K is not a binary fraction.
TEST(OffspringCounts, OfEqualWeightsAreOneEach) {
  for (const auto scheme : all_schemes) {
    for (const std::int64_t particles : {1, 3, 10, 49, 64, 65, 98, 103, 130, 1000}) {
      SCOPED_TRACE(::testing::Message() << static_cast<int>(scheme) << ", K = " << particles);
      Chooser chooser(particles, scheme);
      chooser.set([](std::int64_t, std::int64_t) { return -1.2; });
      const auto counts = chooser.offspring(5)[0];
      const bool one_each = std::ranges::all_of(counts, [](std::int64_t count) { return count == 1; });
      EXPECT_EQ(one_each, scheme != Resampling::multinomial || particles == 1);
    }
  }
}

TEST_P(OffspringCounts, AddUpWhateverTheWeights) {
  const parallel::Stream stream(4, parallel::Purpose::test);
  for (const std::int64_t particles : {1, 2, 17, 64, 65, 200, 777}) {
    Chooser chooser(particles, GetParam(), 5);
    std::vector<double> uniforms(static_cast<std::size_t>(5 * particles));
    for (std::uint32_t round = 0; round < 40; ++round) {
      parallel::uniform<double>(stream, {.step = round}, 0, uniforms);
      const double power = round % 4 == 0 ? 500 : 1 + round;  // down to weights that vanish beside the largest
      constexpr double none = -std::numeric_limits<double>::infinity();
      const auto log_weight = [&](std::int64_t trial, std::int64_t k) {
        const double u = uniforms[static_cast<std::size_t>(trial * particles + k)];
        if (round % 4 == 1 && k != (round + trial) % particles) return none;  // a single survivor
        if (round % 4 == 2 && (u < 0.5 && k != particles / 2)) return none;   // half of them
        return power * std::log(u);
      };
      chooser.set(log_weight);
      const auto counts = chooser.offspring(round);
      for (std::int64_t trial = 0; trial < 5; ++trial) {
        const auto& of_trial = counts[static_cast<std::size_t>(trial)];
        EXPECT_EQ(std::accumulate(of_trial.begin(), of_trial.end(), std::int64_t{0}), particles);
        for (std::int64_t k = 0; k < particles; ++k) {
          ASSERT_GE(of_trial[static_cast<std::size_t>(k)], 0);
          if (log_weight(trial, k) == none) {
            ASSERT_EQ(of_trial[static_cast<std::size_t>(k)], 0) << "weight zero, particle " << k;
          }
        }
      }
    }
  }
}

TEST(OffspringCounts, DependOnTrialStepAndSeed) {
  const auto weights = uneven_weights(20);
  Chooser chooser(20, Resampling::multinomial, 3);
  chooser.set([&](std::int64_t, std::int64_t k) { return std::log(weights[static_cast<std::size_t>(k)]); });
  const auto counts = chooser.offspring(1);
  EXPECT_NE(counts[0], counts[1]);
  EXPECT_NE(counts, chooser.offspring(2));
  EXPECT_NE(counts, chooser.offspring(1, 2));
  EXPECT_EQ(counts, chooser.offspring(1));
}

std::string name_of(const ::testing::TestParamInfo<Resampling>& instance) {
  const char* const names[] = {"multinomial", "stratified", "systematic", "residual"};
  return names[static_cast<int>(instance.param)];
}
INSTANTIATE_TEST_SUITE_P(Schemes, OffspringCounts, ::testing::ValuesIn(all_schemes), name_of);

/// Log weights far from 0, and what normalise() reports of them.
TEST(FilterWeights, AreNormalisedInTheLogDomain) {
  constexpr std::int64_t particles = 130;
  std::vector<double> logs(static_cast<std::size_t>(particles));
  parallel::normal<double>(parallel::Stream(4, parallel::Purpose::test), {.index = 4}, 0, logs);
  for (const double shift : {0.0, -1e6, 1e6}) {
    const parallel::Communicator serial;
    const ParticleLayout layout(1, particles, 1, 0);
    const OffspringExchange exchange(layout, serial, 1);
    FilterWeights weights(layout, {.particles = particles}, serial, exchange);
    std::vector<double> lanes(static_cast<std::size_t>(layout.blocks() * L), 77.0);
    double total = 0, squares = 0;
    for (std::int64_t b = 0; b < layout.blocks(); ++b) {
      const Block block = layout.block(b);
      for (std::int64_t k = 0; k < block.particles; ++k) {
        const double value = logs[static_cast<std::size_t>(block.first_particle + k)];
        lanes[static_cast<std::size_t>(b * L + k)] = value + shift;
        total += std::exp(value);
        squares += std::exp(2 * value);
      }
    }
    weights.normalise(lanes.data());
    // Adding the shift rounds each log weight by half a unit of 1e6.
    const double rounding = 4e-16 * (std::abs(shift) + 130);
    EXPECT_NEAR(weights.log_sum(0), std::log(total) + shift, rounding);
    EXPECT_NEAR(weights.sample_size(0), total * total / squares, 130 * rounding);
    for (std::int64_t b = 0; b < layout.blocks(); ++b) {
      const Block block = layout.block(b);
      for (std::int64_t k = 0; k < block.particles; ++k)
        EXPECT_NEAR(lanes[static_cast<std::size_t>(b * L + k)],
                    std::exp(logs[static_cast<std::size_t>(block.first_particle + k)]) / total, rounding);
    }
  }
}

}  // namespace
}  // namespace rankflow::smc
