#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "smc/filter_support.hpp"

namespace rankflow::smc {
namespace {

using config::Activation;
using config::Link;
using config::ObservationKind;
using config::Proposal;
using config::ReadoutSource;
using testing::SmallData;

struct Case {
  std::string name;
  std::function<void(config::LatentModelOptions&, config::SmcOptions&)> change;
  std::int64_t inputs = 0;
  bool gaps = false;
};

class FilterGradient : public ::testing::TestWithParam<Case> {};

/// Central differences with common random numbers: ancestors are piecewise constant in the parameters, so that the
/// difference quotient is that of the differentiable part.
TEST_P(FilterGradient, AgreesWithDifferences) {
  auto options = testing::small_options();
  config::SmcOptions smc;
  smc.particles = 7;
  GetParam().change(options, smc);
  constexpr std::int64_t channels = 4;
  constexpr std::int64_t trials = 3;
  constexpr std::int64_t times = 6;
  LatentModel model(options, channels, GetParam().inputs);
  add_proposal_parameters(model, smc.proposal);
  SmallData data(model, trials, times);
  if (GetParam().gaps) {
    const double nan = std::nan("");
    data.observation(0, 0, 1, channels) = nan;
    for (std::int64_t d = 0; d < channels; ++d) data.observation(1, 3, d, channels) = nan;
    data.observation(2, 4, 0, channels) = nan;
  }
  auto parameters = testing::shaken_parameters(model);
  const parallel::Communicator serial;
  ParticleFilter<double> filter(model, smc, serial, trials, times);
  const FilterRandomness randomness{.seed = 11, .iteration = 2};
  constexpr double scale = 0.37;
  const auto analytic = filter.gradient(parameters, data.view(), randomness, scale);
  const std::vector<double> gradient(analytic.parameters.begin(), analytic.parameters.end());
  const std::vector<double> guide_gradient(analytic.guides.begin(), analytic.guides.end());
  EXPECT_NEAR(filter.run(parameters, data.view(), randomness).total(), analytic.result.total(),
              1e-12 * std::abs(analytic.result.total()));

  const auto difference = [&](double& value) {
    constexpr double step = 1e-6;
    const double before = value;
    value = before + step;
    const double above = filter.run(parameters, data.view(), randomness).total();
    value = before - step;
    const double below = filter.run(parameters, data.view(), randomness).total();
    value = before;
    return scale * (above - below) / (2 * step);
  };
  // Rounding of the sum over 1e-6, and the third derivative times 1e-12.
  const auto tolerance = [](double value) { return 2e-7 * (1 + std::abs(value)); };
  double largest = 0;
  for (const auto& range : model.layout().trainable_ranges()) {
    for (auto i = static_cast<std::size_t>(range.begin); i < static_cast<std::size_t>(range.end); ++i) {
      const double numeric = difference(parameters[i]);
      largest = std::max(largest, std::abs(numeric));
      EXPECT_NEAR(gradient[i], numeric, tolerance(numeric)) << model.layout().describe(static_cast<std::int64_t>(i));
    }
  }
  EXPECT_GT(largest, 0.1) << "the objective must depend on the parameters";
  for (std::size_t i = 0; i < guide_gradient.size(); i += 5) {
    const double numeric = difference(data.guides[i]);
    EXPECT_NEAR(guide_gradient[i], numeric, tolerance(numeric)) << "guide " << i;
  }
}

const Case cases[] = {
    {"optimal", [](auto&, auto&) {}},
    {"optimal_gaps", [](auto&, auto&) {}, 0, true},
    {"optimal_inputs", [](auto& o, auto&) { o.observation.inputs = true; }, 2, true},
    {"optimal_raw_inputs", [](auto& o, auto&) { o.network.input_path = config::InputPath::raw; }, 1},
    {"optimal_diagonal",
     [](auto& o, auto&) {
       o.noise.transition = config::NoiseShape::diagonal;
       o.noise.initial = config::NoiseShape::diagonal;
       o.noise.initial_mean = config::InitialMean::zero;
     }},
    {"optimal_threshold", [](auto&, auto& s) { s.threshold = 0.5; }},
    {"optimal_currents", [](auto& o, auto&) { o.observation.source = ReadoutSource::currents; }, 1, true},
    {"optimal_bias_start", [](auto& o, auto&) { o.noise.initial_mean = config::InitialMean::bias; }, 1},
    {"optimal_clipped", [](auto& o, auto&) { o.network.activation = Activation::clipped_relu; }},
    {"optimal_full_rank",
     [](auto& o, auto&) {
       o.network.neurons = o.network.rank = 5;
       o.network.transition = config::Transition::full_rank;
     }},
    {"optimal_many_particles", [](auto&, auto& s) { s.particles = 150; }},
    {"bootstrap_gaussian", [](auto&, auto& s) { s.proposal = Proposal::bootstrap; }, 0, true},
    {"bootstrap_softplus",
     [](auto& o, auto& s) {
       s.proposal = Proposal::bootstrap;
       o.observation.link = Link::softplus;
       o.observation.inputs = true;
     },
     1},
    {"bootstrap_rates",
     [](auto& o, auto& s) {
       s.proposal = Proposal::bootstrap;
       o.observation.source = ReadoutSource::rates;
       o.network.activation = Activation::clipped_relu;
     },
     1, true},
    {"bootstrap_poisson_exponential",
     [](auto& o, auto& s) {
       s.proposal = Proposal::bootstrap;
       o.observation.kind = ObservationKind::poisson;
       o.observation.link = Link::exponential;
     }},
    {"encoder_poisson_currents",
     [](auto& o, auto& s) {
       s.proposal = Proposal::encoder;
       s.threshold = 0.6;
       o.observation.kind = ObservationKind::poisson;
       o.observation.source = ReadoutSource::currents;
     },
     2, true},
    {"encoder_gaussian", [](auto&, auto& s) { s.proposal = Proposal::encoder; }, 0, true},
    {"encoder_poisson_rates_many",
     [](auto& o, auto& s) {
       s.proposal = Proposal::encoder;
       s.particles = 70;
       o.observation.kind = ObservationKind::poisson;
       o.observation.source = ReadoutSource::rates;
     },
     1},
};

INSTANTIATE_TEST_SUITE_P(Models, FilterGradient, ::testing::ValuesIn(cases),
                         [](const auto& instance) { return instance.param.name; });

/// A decay that underflows to 0 is a limit of the model, not a failure.
TEST(FilterGradientLimit, IsFiniteWhereTheDecayVanishes) {
  const LatentModel model(testing::small_options(), 3, 1);
  const SmallData data(model, 2, 5);
  const parallel::Communicator serial;
  ParticleFilter<double> filter(model, {.particles = 5}, serial, 2, 5);
  const auto gradient_of_decay = [&](double parameter) {
    auto parameters = testing::shaken_parameters(model);
    model.layout().part(std::span(parameters), model.decay)[0] = parameter;
    const auto found = filter.gradient(parameters, data.view(), {}, 1.0);
    return model.layout().part(found.parameters, model.decay)[0];
  };
  EXPECT_EQ(gradient_of_decay(7.0), 0.0);  // exp(-exp(7)) < 1e-400
  EXPECT_NE(gradient_of_decay(1.0), 0.0);
}

}  // namespace
}  // namespace rankflow::smc
