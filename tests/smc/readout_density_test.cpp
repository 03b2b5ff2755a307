#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "ad/aligned.hpp"
#include "parallel/draws.hpp"
#include "smc/low_rank_step_support.hpp"
#include "smc/readout_density.hpp"

namespace rankflow::smc {
namespace {

using config::Activation;
using config::Link;
using config::ObservationKind;

constexpr std::int64_t L = block_lanes;
constexpr std::int64_t channels = 5;
constexpr std::int64_t states = 3;
constexpr std::int64_t lanes = 37;

/// Everything a density is made of, reproducible.
template <class T>
struct Problem {
  Problem(ObservationKind kind, Link link, bool rates, Activation activation) {
    readout = {.kind = kind,
               .link = link,
               .rates = rates,
               .activation = activation,
               .channels = channels,
               .states = states,
               .weights = draw(weights, channels * states),
               .neuron_bias = draw(neuron_bias, channels),
               .scale = draw(scale, channels),
               .bias = draw(bias, channels),
               .precision = draw(precision, channels)};
    for (T& value : precision) value = std::abs(value) + T(0.2);
    draw(zeta, states * L);
    draw(x, channels * L);
    for (T& value : x)
      if (kind == ObservationKind::poisson) value = std::floor(3 * std::abs(value));
    for (std::size_t i = 1; i < x.size(); i += 7) x[i] = std::numeric_limits<T>::quiet_NaN();
  }
  const T* draw(ad::AlignedVector<T>& values, std::int64_t count) {
    values.resize(static_cast<std::size_t>(count));
    parallel::normal<T>(parallel::Stream(6, parallel::Purpose::test), {.index = index++}, 0, values);
    return values.data();
  }
  static double at(const ad::AlignedVector<T>& values, std::int64_t i) {
    return static_cast<double>(values[static_cast<std::size_t>(i)]);
  }

  /// What a channel is expected to show in one lane, by the book.
  double mean(std::int64_t lane, std::int64_t d) const {
    double s = 0;
    for (std::int64_t q = 0; q < states; ++q) s += at(weights, d * states + q) * at(zeta, q * L + lane);
    if (readout.rates) s = at(scale, d) * testing::rate_of(readout.activation, s, at(neuron_bias, d)).value;
    s += at(bias, d);
    switch (readout.link) {
      case Link::exponential:
        return std::exp(s);
      case Link::softplus:
        return std::log1p(std::exp(-std::abs(s))) + std::max(s, 0.0) + 1e-6;
      case Link::relu:
        return std::max(s, 0.0) + 1e-6;
      case Link::identity:
        break;
    }
    return s;
  }

  /// The density of one lane.
  double log_density(std::int64_t lane) const {
    double log = 0;
    for (std::int64_t d = 0; d < channels; ++d) {
      const double seen = at(x, d * L + lane);
      if (std::isnan(seen)) continue;
      const double expected = mean(lane, d);
      log += readout.kind == ObservationKind::poisson ? seen * std::log(expected) - expected
                                                      : -0.5 * (seen - expected) * (seen - expected) * at(precision, d);
    }
    return log;
  }

  Readout<T> readout;
  ad::AlignedVector<T> weights, neuron_bias, scale, bias, precision, zeta, x;
  std::uint32_t index = 0;
};

template <class T>
void expect_densities(ObservationKind kind, Link link, bool rates, Activation activation) {
  Problem<T> problem(kind, link, rates, activation);
  std::vector<double> found(L, 2.5);
  add_readout_density(problem.readout, problem.zeta.data(), problem.x.data(), lanes, found.data());
  // s is off by some 20 units of precision; the slope of the log density in s is at most of the order of x / mean,
  // where a mean of 1e-6 magnifies the rounding of the link itself.
  const double unit = static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    const double expected = 2.5 + problem.log_density(lane);
    const double tolerance = 200 * unit * (1 + std::abs(expected));
    EXPECT_NEAR(found[static_cast<std::size_t>(lane)], expected, tolerance) << "lane " << lane;
    EXPECT_GT(std::abs(found[static_cast<std::size_t>(lane)] - 2.5 - problem.log_density((lane + 1) % lanes)),
              tolerance)
        << "another particle";
  }
  for (std::int64_t lane = lanes; lane < L; ++lane) EXPECT_EQ(found[static_cast<std::size_t>(lane)], 2.5);

  ad::AlignedVector<T> means(static_cast<std::size_t>(channels * L), T(0));
  readout_mean(problem.readout, problem.zeta.data(), lanes, means.data());
  for (std::int64_t lane = 0; lane < lanes; ++lane)
    for (std::int64_t d = 0; d < channels; ++d) {
      const double expected = problem.mean(lane, d);
      EXPECT_NEAR(Problem<T>::at(means, d * L + lane), expected, 200 * unit * (1 + std::abs(expected)));
    }
}

using Parameters = std::tuple<ObservationKind, Link, bool>;
class ReadoutDensity : public ::testing::TestWithParam<Parameters> {};

TEST_P(ReadoutDensity, AgreesWithTheFormula) {
  const auto [kind, link, rates] = GetParam();
  for (const auto activation : {Activation::tanh, Activation::relu, Activation::clipped_relu, Activation::softplus,
                                Activation::sigmoid, Activation::erf, Activation::identity}) {
    SCOPED_TRACE(static_cast<int>(activation));
    expect_densities<float>(kind, link, rates, activation);
    expect_densities<double>(kind, link, rates, activation);
    if (!rates) break;  // the activation is not used
  }
}

std::string name_of(const ::testing::TestParamInfo<Parameters>& instance) {
  const auto [kind, link, rates] = instance.param;
  const char* const links[] = {"identity", "exponential", "softplus", "relu"};
  return std::string(kind == ObservationKind::poisson ? "poisson_" : "gaussian_") + links[static_cast<int>(link)] +
         (rates ? "_rates" : "_affine");
}
INSTANTIATE_TEST_SUITE_P(Gaussian, ReadoutDensity,
                         ::testing::Combine(::testing::Values(ObservationKind::gaussian),
                                            ::testing::Values(Link::identity, Link::exponential, Link::softplus,
                                                              Link::relu),
                                            ::testing::Bool()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Poisson, ReadoutDensity,
                         ::testing::Combine(::testing::Values(ObservationKind::poisson),
                                            ::testing::Values(Link::exponential, Link::softplus, Link::relu),
                                            ::testing::Bool()),
                         name_of);

/// Means beyond the range of float: the first two particles have exp(s) = infinity and 0, the third is ordinary.
TEST(ReadoutDensityExtremes, PoissonMeansThatOverflowAreImprobableNotUndefined) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  ad::AlignedVector<float> one(1, 1.0F), zero(1, 0.0F), s(L, 0.0F), x(L, 0.0F), weight(L, 0.0F), adjoint(L, 0.0F);
  s[0] = 120;
  s[1] = -120;
  s[2] = 0.5F;
  x[2] = 2;
  weight[1] = weight[2] = 1;  // and 0 for the first, as the filter has it
  const Readout<float> readout{.kind = ObservationKind::poisson,
                               .link = Link::exponential,
                               .rates = false,
                               .activation = Activation::identity,
                               .channels = 1,
                               .states = 1,
                               .weights = one.data(),
                               .neuron_bias = zero.data(),
                               .scale = one.data(),
                               .bias = zero.data(),
                               .precision = nullptr};
  std::vector<double> found(L, 0.0);
  add_readout_density(readout, s.data(), x.data(), 3, found.data());
  EXPECT_EQ(found[0], -infinity);
  EXPECT_EQ(found[1], 0.0);
  EXPECT_NEAR(found[2], 2 * 0.5 - std::exp(0.5), 1e-6);

  double weights_sum = 0, neuron_bias_sum = 0, scale_sum = 0, bias_sum = 0, precision_sum = 0;
  readout_density_adjoint(readout, s.data(), x.data(), weight.data(), 3, adjoint.data(),
                          {&weights_sum, &neuron_bias_sum, &scale_sum, &bias_sum, &precision_sum});
  EXPECT_EQ(adjoint[0], 0.0F);
  EXPECT_EQ(adjoint[1], 0.0F);
  EXPECT_NEAR(adjoint[2], 2 - std::exp(0.5), 1e-6);
}

}  // namespace
}  // namespace rankflow::smc
