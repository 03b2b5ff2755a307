#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "smc/linear_case.hpp"

namespace rankflow::smc {
namespace {

using config::Proposal;
using config::Resampling;
using testing::estimate;
using testing::LinearCase;
using testing::z_limit;

constexpr std::int64_t runs = 1000;

/// Z / exact over the runs has mean 1; log Z, taken for an estimate of log exact, has mean below by about half its
/// variance, which the same test must find.
void expect_unbiased(const std::vector<double>& log_likelihoods, double exact) {
  std::vector<double> ratios, logs;
  for (const double value : log_likelihoods) {
    ratios.push_back(std::exp(value - exact));
    logs.push_back(1 + value - exact);
  }
  const auto ratio = estimate(ratios);
  EXPECT_LT(std::abs(ratio.z(1)), z_limit) << ratio.mean << " +- " << ratio.error;
  const auto biased = estimate(logs);
  EXPECT_LT(biased.z(1), -z_limit) << biased.mean << " +- " << biased.error << ": too few runs to see a bias";
}

using Parameters = std::tuple<Proposal, Resampling, double>;
class UnbiasedLikelihood : public ::testing::TestWithParam<Parameters> {};

TEST_P(UnbiasedLikelihood, OfALinearModelWithGaps) {
  const auto [proposal, resampling, threshold] = GetParam();
  LinearCase linear(testing::linear_options(), 3, 1, 7, proposal);
  linear.punch_gaps();
  const std::int64_t particles = proposal == Proposal::optimal ? 3 : 9;
  expect_unbiased(
      linear.log_likelihoods(
          {.particles = particles, .proposal = proposal, .resampling = resampling, .threshold = threshold}, runs),
      linear.kalman().total());
}

std::string name_of(const ::testing::TestParamInfo<Parameters>& instance) {
  const char* const proposals[] = {"bootstrap", "optimal", "encoder"};
  const char* const schemes[] = {"multinomial", "stratified", "systematic", "residual"};
  return std::string(proposals[static_cast<int>(std::get<0>(instance.param))]) + "_" +
         schemes[static_cast<int>(std::get<1>(instance.param))] +
         (std::get<2>(instance.param) < 1 ? "_sometimes" : "_always");
}

INSTANTIATE_TEST_SUITE_P(Filters, UnbiasedLikelihood,
                         ::testing::Combine(::testing::Values(Proposal::bootstrap, Proposal::optimal,
                                                              Proposal::encoder),
                                            ::testing::Values(Resampling::multinomial, Resampling::stratified,
                                                              Resampling::systematic, Resampling::residual),
                                            ::testing::Values(1.0, 0.6)),
                         name_of);

/// Likelihood of a network with one latent by integration over a fine grid: no particles, no linearity.
double integrated_log_likelihood(const LatentModel& model, std::span<const double> parameters,
                                 const testing::SmallData& data) {
  const StateSpace space(model, parameters);
  constexpr int points = 400;
  constexpr double reach = 6;
  constexpr double step = 2 * reach / points;
  const auto grid = [](int i) { return -reach + (i + 0.5) * step; };
  const auto normal = [](double x, double mean, double std) {
    return std::exp(-0.5 * (x - mean) * (x - mean) / (std * std)) / (std * std::sqrt(2 * std::numbers::pi));
  };
  const auto likelihood = [&](std::int64_t time, double z) {
    double log = 0;
    for (std::int64_t d = 0; d < model.channels(); ++d) {
      const double x = data.observations[static_cast<std::size_t>(time * model.channels() + d)];
      const double mean = std::log1p(std::exp(space.readout(d, 0) * z + space.observation_bias[d])) + 1e-6;
      if (!std::isnan(x)) log += x * std::log(mean) - mean - std::lgamma(x + 1);
    }
    return std::exp(log);
  };
  const auto next = [&](double z) {
    double mean = space.decay * z;
    for (std::int64_t i = 0; i < model.neurons(); ++i)
      mean += space.n(i, 0) * std::tanh(space.step_weights(i, 0) * z + space.bias[i]);
    return mean;
  };
  std::vector<double> density(points);
  for (int i = 0; i < points; ++i)
    density[static_cast<std::size_t>(i)] = normal(grid(i), space.initial_mean[0], space.initial_noise(0, 0));
  double log_likelihood = 0;
  for (std::int64_t time = 0; time < data.times; ++time) {
    if (time > 0) {
      std::vector<double> moved(points, 0.0);
      for (int i = 0; i < points; ++i)
        for (int j = 0; j < points; ++j)
          moved[static_cast<std::size_t>(j)] += density[static_cast<std::size_t>(i)] * step *
                                                normal(grid(j), next(grid(i)), space.transition_noise(0, 0));
      density = moved;
    }
    double total = 0;
    for (int i = 0; i < points; ++i) {
      density[static_cast<std::size_t>(i)] *= likelihood(time, grid(i));
      total += density[static_cast<std::size_t>(i)] * step;
    }
    for (double& value : density) value /= total;
    log_likelihood += std::log(total);
  }
  return log_likelihood;
}

class UnbiasedCounts : public ::testing::TestWithParam<Proposal> {};

TEST_P(UnbiasedCounts, OfANonlinearNetworkAgainstIntegration) {
  auto options = testing::small_options(5, 1);
  options.observation.kind = config::ObservationKind::poisson;
  LinearCase counts(options, 3, 0, 6, GetParam());
  counts.punch_gaps();
  const double exact = integrated_log_likelihood(counts.model, counts.parameters, counts.one);
  expect_unbiased(counts.log_likelihoods({.particles = 4, .proposal = GetParam()}, runs), exact);
}

INSTANTIATE_TEST_SUITE_P(Proposals, UnbiasedCounts, ::testing::Values(Proposal::bootstrap, Proposal::encoder),
                         [](const auto& instance) {
                           return instance.param == Proposal::bootstrap ? "bootstrap" : "encoder";
                         });

/// Trials whose particles lie in several blocks.
TEST(UnbiasedLikelihood, OfManyParticles) {
  for (const auto resampling :
       {Resampling::multinomial, Resampling::stratified, Resampling::systematic, Resampling::residual}) {
    SCOPED_TRACE(static_cast<int>(resampling));
    auto options = testing::linear_options();
    options.observation.std = 0.15;  // so that the spread is still wide
    const LinearCase linear(options, 3, 0, 12);
    expect_unbiased(
        linear.log_likelihoods({.particles = 130, .proposal = Proposal::bootstrap, .resampling = resampling}, runs),
        linear.kalman().total());
  }
}

}  // namespace
}  // namespace rankflow::smc
