#include "fit/objective.hpp"

#include <cmath>
#include <string>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "fit/data_support.hpp"
#include "fit/full_batch.hpp"

namespace rankflow::fit {
namespace {

config::FitVsmcOptions poisson_with_encoder() {
  config::FitVsmcOptions options;
  options.model.network.neurons = 5;
  options.model.network.rank = 2;
  options.model.network.activation = config::Activation::tanh;
  options.model.observation.kind = config::ObservationKind::poisson;
  options.smc.particles = 6;
  options.smc.proposal = config::Proposal::encoder;
  options.smc.threshold = 0.0;  // without resampling the estimate is a smooth function of the parameters
  options.encoder.kernels = {3, 1};
  options.encoder.channels = 4;
  return options;
}

/// Counts with a hole, and inputs.
DataSet counts() {
  auto data = counting_data({7, 5, 7});
  for (std::size_t i = 0; i < data.observations.size(); ++i)
    if (!std::isnan(data.observations[i])) data.observations[i] = static_cast<double>((7 * i + i / 3) % 4);
  data.observations[3] = std::nan("");
  for (std::size_t i = 0; i < data.input_values.size(); ++i) data.input_values[i] = std::sin(static_cast<double>(i));
  return data;
}

struct Problem {
  explicit Problem(const config::FitVsmcOptions& all)
      : options(all), data(counts()), model(all, 2, 1), parameters(model.initial_parameters(3, data)) {}

  config::FitVsmcOptions options;
  DataSet data;
  FitModel model;
  std::vector<double> parameters;
  parallel::Communicator comm;
};

/// Central differences of f at every trainable parameter against `slopes`.
template <class Function>
void expect_slopes(const Problem& problem, const std::vector<double>& slopes, const Function& f) {
  const auto& layout = problem.model.latent.layout();
  constexpr double step = 1e-6;
  for (const auto& range : layout.trainable_ranges())
    for (auto i = range.begin; i < range.end; ++i) {
      const auto index = static_cast<std::size_t>(i);
      auto moved = problem.parameters;
      moved[index] = problem.parameters[index] + step;
      const double above = f(moved);
      moved[index] = problem.parameters[index] - step;
      // Rounding of 1e-15 / step and curvature f''' step^2 / 6: below 1e-8 for third derivatives up to 1e4.
      EXPECT_NEAR(slopes[index], (above - f(moved)) / (2 * step), 1e-8) << layout.describe(i);
    }
}

TEST(Objective, GradientThroughFilterAndEncoder) {
  Problem problem(poisson_with_encoder());
  Objective<double> objective(problem.model, problem.options, problem.comm, 3, 7);
  Batch batch(3, 7, problem.data);
  batch.fill(std::vector<Stretch>{{0, 0, 7}, {1, 0, 5}, {2, 1, 6}});
  std::vector<double> descent(problem.parameters.size());
  const auto found = objective.gradient(problem.parameters, batch, 5, descent);
  EXPECT_EQ(found.steps, 18);
  EXPECT_EQ(found.log_likelihood, objective.value(problem.parameters, batch, 5).log_likelihood);
  EXPECT_NE(found.log_likelihood, objective.value(problem.parameters, batch, 6).log_likelihood);
  EXPECT_GT(found.mean_sample_size(), 1.0 / 6);
  EXPECT_LE(found.mean_sample_size(), 1.0);
  expect_slopes(problem, descent,
                [&](const std::vector<double>& x) { return -objective.value(x, batch, 5).per_step(); });
  const auto& layout = problem.model.latent.layout();
  double largest = 0;
  for (const double slope : layout.part(std::span<const double>(descent), layout.find("encoder.0.weight")))
    largest = std::max(largest, std::abs(slope));
  EXPECT_GT(largest, 1e-4) << "the encoder has slopes to be wrong";
}

TEST(Objective, FullBatchIsTheMeanOverAllWindows) {
  auto options = poisson_with_encoder();
  options.smc.proposal = config::Proposal::bootstrap;
  Problem problem(options);
  Objective<double> objective(problem.model, options, problem.comm, 2, 4);
  const std::vector<Stretch> whole{{0, 0, 7}, {1, 0, 5}, {2, 0, 7}};
  FullBatch<double> full(objective, problem.data, consecutive_windows(whole, 4), 2, 4);
  std::vector<double> descent(problem.parameters.size());
  const auto found = full.gradient(problem.parameters, descent);
  EXPECT_EQ(found.steps, 19);
  std::vector<double> unused(descent.size());
  EXPECT_EQ(found.log_likelihood, full.gradient(problem.parameters, unused).log_likelihood) << "the same every time";
  expect_slopes(problem, descent, [&](const std::vector<double>& x) { return -full.gradient(x, unused).per_step(); });
}

TEST(Objective, RefusesAnEncoderThatIsTooWide) {
  auto options = poisson_with_encoder();
  options.encoder.kernels = {5, 5};
  const Problem problem(options);
  EXPECT_THAT(
      [&] { Objective<double>(problem.model, options, problem.comm, 3, 7); },
      testing::ThrowsMessage<ConfigurationError>(testing::HasSubstr("see 9 time steps, but the trials have 7")));
}

}  // namespace
}  // namespace rankflow::fit
