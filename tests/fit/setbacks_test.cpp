#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "fit/data_support.hpp"
#include "fit/training.hpp"

namespace rankflow::fit {
namespace {

config::FitVsmcOptions options(double learning_rate) {
  config::FitVsmcOptions all;
  all.model.network.neurons = 8;
  all.model.network.rank = 1;
  all.smc.particles = 5;
  all.training.epochs = 12;
  all.training.steps_per_epoch = 1;
  all.training.batch_trials = 2;
  all.training.validation_fraction = 0;
  all.training.optimiser.learning_rate = learning_rate;
  return all;
}

/// A training of its own data.
struct OwnTraining {
  explicit OwnTraining(const config::FitVsmcOptions& all_)
      : all(all_),
        data(counting_data({9, 9, 9})),
        split(split_data(data, 0.0, 1)),
        model(all, data.channels, data.inputs),
        state(model.initial_parameters(1, data), all.training.epochs) {}

  void run() {
    Training<double> training({all, data, split, model, comm, console}, state);
    parallel::HaltMonitor halt(comm, {});
    training.begin();
    done = training.run(halt);
  }

  config::FitVsmcOptions all;
  DataSet data;
  Split split;
  FitModel model;
  parallel::Communicator comm;
  Console console{false};
  TrainingState state;
  bool done = false;
};

/// From beginning to end.
struct WholeTraining : OwnTraining {
  explicit WholeTraining(const config::FitVsmcOptions& options_) : OwnTraining(options_) { run(); }
};

/// Epochs of one step: what fails is always the first gradient after a step, so that the beginning of the failing
/// epoch is no place to go on from.
TEST(Setbacks, ReachBeforeTheStepThatLedAstray) {
  auto few = options(1000.0);
  few.training.epochs = 3;  // more would need ever more setbacks: such steps end badly sooner or later
  const WholeTraining wild(few);
  EXPECT_TRUE(wild.done);
  EXPECT_EQ(wild.state.epoch, 3);
  EXPECT_GT(wild.state.setbacks, 0);
  EXPECT_EQ(wild.state.rate_factor, std::pow(0.5, static_cast<double>(wild.state.setbacks)));
  for (std::size_t row = 1; row < wild.state.curves.training.size(); ++row)
    EXPECT_TRUE(std::isfinite(wild.state.curves.training[row])) << row;
  const WholeTraining calm(options(1e-3));
  EXPECT_EQ(calm.state.setbacks, 0);
  EXPECT_EQ(calm.state.rate_factor, 1.0);
}

TEST(Setbacks, GivingUpLeavesTheLastGoodModelAndNothingOfAbandonedEpochs) {
  OwnTraining hopeless(options(1e30));
  const auto start = hopeless.state.now.parameters;
  EXPECT_THROW(hopeless.run(), NumericalError);
  EXPECT_EQ(hopeless.state.setbacks, 11);
  EXPECT_EQ(hopeless.state.epoch, 0);
  EXPECT_EQ(hopeless.state.best_epoch, 0);
  EXPECT_EQ(hopeless.state.best, start);
  EXPECT_EQ(hopeless.state.now.parameters, start);
  for (const double value : hopeless.state.curves.training) EXPECT_TRUE(std::isnan(value));
  for (const double value : hopeless.state.curves.gradient_norm) EXPECT_TRUE(std::isnan(value));
}

TEST(Setbacks, AStartThatFailsIsNotTriedAgain) {
  auto all = options(1e-3);
  all.model.noise.initial_std = 1e-200;
  try {
    const WholeTraining run(all);
    FAIL() << "a collapsed initial state must be an error";
  } catch (const NumericalError& error) {
    EXPECT_NE(error.report().find("The fit cannot begin"), std::string::npos) << error.report();
    EXPECT_EQ(error.report().find("setback"), std::string::npos) << error.report();
  }
}

}  // namespace
}  // namespace rankflow::fit
