#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <string>

#include "smc/linear_case.hpp"

namespace rankflow::smc {
namespace {

using config::Proposal;
using config::Resampling;
using testing::estimate;
using testing::LinearCase;
using testing::z_limit;

struct Case {
  std::string name;
  std::function<void(config::LatentModelOptions&)> change;
  std::int64_t inputs = 0;
  bool gaps = false;
};

class LinearLikelihood : public ::testing::TestWithParam<Case> {};

/// exp(log Z - exact) has mean 1; its spread over independent filters says how near 1 the mean must be.
TEST_P(LinearLikelihood, IsTheKalmanFilters) {
  auto options = testing::linear_options();
  GetParam().change(options);
  LinearCase linear(options, 4, GetParam().inputs, 12);
  if (GetParam().gaps) linear.punch_gaps();
  const double exact = linear.kalman().total();
  for (const auto proposal : {Proposal::optimal, Proposal::bootstrap}) {
    SCOPED_TRACE(proposal == Proposal::optimal ? "optimal" : "bootstrap");
    auto ratios = linear.log_likelihoods({.particles = 500, .proposal = proposal}, 60);
    for (double& value : ratios) value = std::exp(value - exact);
    const auto ratio = estimate(ratios);
    EXPECT_LT(std::abs(ratio.z(1)), z_limit) << ratio.mean << " +- " << ratio.error;
    EXPECT_LT(ratio.error, 0.1) << "the comparison must be sharp";
    auto other = linear;
    other.parameters[static_cast<std::size_t>(other.model.layout().offset(other.model.observation_bias))] += 1;
    const double wrong = other.kalman().total();
    EXPECT_GT(std::abs(ratio.z(std::exp(wrong - exact))), z_limit) << "another model must be told apart";
  }
}

const Case cases[] = {
    {"plain", [](auto&) {}},
    {"gaps", [](auto&) {}, 0, true},
    {"filtered_inputs", [](auto& o) { o.observation.inputs = true; }, 2},
    {"raw_inputs_gaps", [](auto& o) { o.network.input_path = config::InputPath::raw; }, 1, true},
    {"diagonal",
     [](auto& o) {
       o.noise.transition = o.noise.initial = config::NoiseShape::diagonal;
       o.noise.initial_mean = config::InitialMean::zero;
     }},
    {"currents", [](auto& o) { o.observation.source = config::ReadoutSource::currents; }, 1, true},
    {"full_rank",
     [](auto& o) {
       o.network.neurons = o.network.rank = 3;
       o.network.transition = config::Transition::full_rank;
     },
     0, true},
};

INSTANTIATE_TEST_SUITE_P(Models, LinearLikelihood, ::testing::ValuesIn(cases),
                         [](const auto& instance) { return instance.param.name; });

/// Errors log Z - exact of many filters for K = 16, 64 ... 4096: more of them where they are cheap.
class ErrorsOverParticles {
 public:
  ErrorsOverParticles(const LinearCase& linear, Proposal proposal) {
    const double exact = linear.kalman().total();
    for (std::int64_t particles = 16; particles <= 4096; particles *= 4) {
      log_particles_.push_back(std::log(static_cast<double>(particles)));
      errors_.push_back(linear.log_likelihoods({.particles = particles, .proposal = proposal},
                                               std::min<std::int64_t>(1600, 400000 / particles)));
      for (double& value : errors_.back()) value -= exact;
    }
  }

  /// Slope of the log rms error over log K by weighted least squares, were the truth off by `shift`.
  double slope(double shift) const {
    double sum = 0;
    for (std::size_t i = 0; i < errors_.size(); ++i) {
      double squares = 0;
      for (const double error : errors_[i]) squares += (error - shift) * (error - shift);
      sum += weight(i) * centred(i) * 0.5 * std::log(squares / static_cast<double>(errors_[i].size()));
    }
    return sum / information();
  }
  /// Standard error of the slope.
  double error() const { return 1 / std::sqrt(information()); }

 private:
  /// The log rms of M normal errors has variance 1 / (2 M).
  double weight(std::size_t i) const { return 2 * static_cast<double>(errors_[i].size()); }
  double centred(std::size_t i) const {
    double sum = 0, weights = 0;
    for (std::size_t j = 0; j < errors_.size(); ++j) {
      sum += weight(j) * log_particles_[j];
      weights += weight(j);
    }
    return log_particles_[i] - sum / weights;
  }
  double information() const {
    double sum = 0;
    for (std::size_t i = 0; i < errors_.size(); ++i) sum += weight(i) * centred(i) * centred(i);
    return sum;
  }
  std::vector<double> log_particles_;
  std::vector<std::vector<double>> errors_;
};

TEST(LinearLikelihoodError, FallsAsTheRootOfTheParticles) {
  // Weights that vary little, so that the leading order rules from 16 particles on.
  auto options = testing::linear_options(4);
  options.observation.std = 2;
  LinearCase linear(options, 3, 0, 8);
  linear.punch_gaps();
  for (const auto proposal : {Proposal::optimal, Proposal::bootstrap}) {
    const std::string name = proposal == Proposal::optimal ? "optimal" : "bootstrap";
    SCOPED_TRACE(name);
    const ErrorsOverParticles errors(linear, proposal);
    std::cout << "slope of the error over particles, " << name << ": " << errors.slope(0) << " +- " << errors.error()
              << '\n';
    EXPECT_NEAR(errors.slope(0), -0.5, z_limit * errors.error());
    EXPECT_GT(std::abs(errors.slope(0.1) + 0.5), z_limit * errors.error()) << "an error that stays must be told apart";
  }
}

TEST(OptimalProposal, IsExactForOneStepAtAnyNumberOfParticles) {
  const LinearCase linear(testing::linear_options(), 3, 0, 1);
  const double exact = linear.kalman().total();
  for (const std::int64_t particles : {1, 2, 7, 100}) {
    for (const double value : linear.log_likelihoods({.particles = particles}, 3)) EXPECT_NEAR(value, exact, 1e-12);
    for (const double value : linear.log_likelihoods({.particles = particles, .proposal = Proposal::bootstrap}, 3))
      EXPECT_GT(std::abs(value - exact), 1e-6) << "the bootstrap filter is not";
  }
}

/// Where p(x(t) | z(t-1)) is the same for all ancestors there is, one particle gives the likelihood.
struct Limit {
  std::string name;
  std::function<void(LinearCase&, double)> approach;  ///< as the number goes to 0
};

class OneParticle : public ::testing::TestWithParam<Limit> {};

TEST_P(OneParticle, IsExactInTheLimitAtFirstOrder) {
  const auto rms = [&](double small) {
    auto options = testing::linear_options();
    LinearCase linear(options, 3, 0, 8);
    GetParam().approach(linear, small);
    linear.draw_observations(5);
    const double exact = linear.kalman().total();
    double squares = 0;
    constexpr std::int64_t repeats = 100;
    for (const double value : linear.log_likelihoods({.particles = 1}, repeats))
      squares += (value - exact) * (value - exact) / static_cast<double>(repeats);
    return std::sqrt(squares);
  };
  EXPECT_GT(rms(1.0), 0.1) << "far from the limit one particle is not enough";
  const double near = rms(1e-3);
  const double nearer = rms(1e-4);
  EXPECT_LT(near, 3e-2);
  EXPECT_NEAR(near / nearer, 10, 0.2) << near << ' ' << nearer;
}

std::span<double> part(LinearCase& linear, LatentModel::Id id) {
  return linear.model.layout().part(std::span(linear.parameters), id);
}

/// Standard deviations times `factor`: factors hold log variances on the diagonal.
void scale_noise(LinearCase& linear, LatentModel::Id id, double factor) {
  const auto rank = static_cast<std::size_t>(linear.model.rank());
  const auto values = part(linear, id);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % (rank + 1) == 0)
      values[i] += 2 * std::log(factor);
    else
      values[i] *= factor;
  }
}

const Limit limits[] = {
    {"noiseless_latents",
     [](LinearCase& linear, double small) {
       scale_noise(linear, linear.model.transition_noise, small);
       scale_noise(linear, linear.model.initial_noise, small);
     }},
    {"latents_without_memory",
     [](LinearCase& linear, double small) {
       // a = exp(-exp(p)) and n go to 0 together.
       part(linear, linear.model.decay)[0] = std::log(-std::log(0.8 * small));
       for (double& value : part(linear, linear.model.n)) value *= small;
     }},
    {"noiseless_observations",
     [](LinearCase& linear, double small) {
       for (double& value : part(linear, *linear.model.observation_log_variance)) value += 2 * std::log(small);
     }},
};

INSTANTIATE_TEST_SUITE_P(Limits, OneParticle, ::testing::ValuesIn(limits),
                         [](const auto& instance) { return instance.param.name; });

/// Transition noise alone does not make one particle exact: ancestors still differ by their first state. With it the
/// weight of a particle is a function of its first state.
TEST(OneParticle, IsNotExactWhereOnlyTheTransitionIsNoiseless) {
  LinearCase linear(testing::linear_options(), 3, 0, 8);
  scale_noise(linear, linear.model.transition_noise, 1e-5);
  const double exact = linear.kalman().total();
  double squares = 0;
  for (const double value : linear.log_likelihoods({.particles = 1}, 100)) squares += (value - exact) * (value - exact);
  EXPECT_GT(std::sqrt(squares / 100), 0.1);
}

}  // namespace
}  // namespace rankflow::smc
