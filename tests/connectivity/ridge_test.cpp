#include "connectivity/ridge.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectivity_support.hpp"
#include "core/error.hpp"

namespace rankflow::connectivity {
namespace {

using ::testing::HasSubstr;
using testing::matrix_of;
using testing::oracle_of;
using testing::random_loadings;
using testing::random_states;
using testing::relative_difference;
using testing::Shape;
using testing::smooth_drive;

constexpr double penalty = 1e-3;

RidgeOptions options_of(RidgeForm form, double tolerance = 1e-6) {
  RidgeOptions options;
  options.penalty = penalty;
  options.form = form;
  options.tolerance = tolerance;
  return options;
}

struct Problem {
  Shape shape{.neurons = 300, .inputs = 1, .has_bias = true};
  parallel::Communicator comm{};
  VisitedStates states = random_states(400, shape, 1, smooth_drive);
  Loadings loadings = random_loadings(shape, 2);

  RidgeSolution solve(const RidgeOptions& options) const { return solve_ridge(states, loadings, options, comm); }
  Eigen::MatrixXd n(const RidgeSolution& solution) const { return matrix_of(solution.n, loadings.partition); }
};

TEST(Ridge, DirectFormsAgreeWithTheFormula) {
  const Problem problem;
  const auto oracle = oracle_of(problem.states, problem.loadings, [](double x) { return std::tanh(x); });
  const auto by_neurons = problem.solve(options_of(RidgeForm::neurons));
  const auto by_times = problem.solve(options_of(RidgeForm::times));
  const auto expected = oracle.n(penalty);
  EXPECT_LT(relative_difference(problem.n(by_neurons), expected), 1e-10);
  EXPECT_LT(relative_difference(problem.n(by_times), problem.n(by_neurons)), 1e-10);
  EXPECT_GT(relative_difference(oracle.n(1.01 * penalty), expected), 1e-4) << "control: another penalty";
  EXPECT_LT(by_neurons.certificate.residual, 1e-12);
  EXPECT_LT(by_times.certificate.residual, 1e-12);
}

TEST(Ridge, DirectFormsAgreeOnNoiseAndEvidence) {
  const Problem problem;
  const auto by_neurons = problem.solve(options_of(RidgeForm::neurons));
  const auto by_times = problem.solve(options_of(RidgeForm::times));
  EXPECT_NEAR(by_neurons.effective_parameters, by_times.effective_parameters, 1e-8);
  EXPECT_NEAR(by_neurons.log_evidence, by_times.log_evidence, 1e-7);
  EXPECT_NEAR(by_neurons.noise_variance / by_times.noise_variance, 1.0, 1e-10);
  EXPECT_NEAR(by_neurons.relative_misfit, by_times.relative_misfit, 1e-12);
}

TEST(Ridge, ReducedReachesItsTolerance) {
  const Problem problem;
  const auto direct = problem.solve(options_of(RidgeForm::neurons));
  double last = 1.0;
  for (const double tolerance : {1e-4, 1e-6, 1e-8}) {
    const auto reduced = problem.solve(options_of(RidgeForm::reduced, tolerance));
    EXPECT_FALSE(reduced.certificate.sampled);
    EXPECT_LE(reduced.certificate.residual, tolerance);
    // The smallest eigenvalue of the system is lambda, the largest at most 1: residuals grow by no more.
    const double difference = relative_difference(problem.n(reduced), problem.n(direct));
    EXPECT_LT(difference, tolerance / penalty);
    EXPECT_LT(difference, last) << "control: a finer basis is closer";
    last = difference;
  }
}

TEST(Ridge, NumbersOfTheReducedFormAreThoseOfTheDirectOne) {
  const Problem problem;
  const auto direct = problem.solve(options_of(RidgeForm::times));
  const auto reduced = problem.solve(options_of(RidgeForm::reduced, 1e-8));
  EXPECT_NEAR(reduced.effective_parameters, direct.effective_parameters, 1e-5);
  EXPECT_NEAR(reduced.log_evidence, direct.log_evidence, 1e-4);
  EXPECT_NEAR(reduced.noise_variance / direct.noise_variance, 1.0, 1e-6);
}

TEST(Ridge, SampledCertificateBoundsTheWholeOne) {
  const Problem problem;
  auto options = options_of(RidgeForm::reduced, 1e-2);
  const auto whole = problem.solve(options);
  options.certificate_features = 300 * 100;
  const auto sampled = problem.solve(options);
  EXPECT_TRUE(sampled.certificate.sampled);
  EXPECT_GE(sampled.certificate.residual, whole.certificate.residual);
  EXPECT_EQ(problem.n(sampled), problem.n(whole));
}

TEST(Ridge, IterativeRefinesACoarseBasis) {
  const Problem problem;
  const auto direct = problem.solve(options_of(RidgeForm::times));
  auto options = options_of(RidgeForm::iterative, 1e-10);
  options.basis.maximum_functions = 20;
  const auto solution = problem.solve(options);
  EXPECT_EQ(solution.form, RidgeForm::iterative);
  EXPECT_GT(solution.iterations, 1) << "control: 20 functions alone do not reach the tolerance";
  EXPECT_LE(solution.certificate.residual, 1e-10);
  EXPECT_LT(relative_difference(problem.n(solution), problem.n(direct)), 1e-10 / penalty);
}

TEST(Ridge, AutomaticChoosesBySizeAndByResidual) {
  Problem problem;
  EXPECT_EQ(problem.solve(options_of(RidgeForm::automatic)).form, RidgeForm::reduced);
  auto options = options_of(RidgeForm::automatic);
  options.basis.maximum_functions = 10;
  EXPECT_EQ(problem.solve(options).form, RidgeForm::iterative);
  problem.loadings = random_loadings({.neurons = 50, .inputs = 1, .has_bias = true}, 2);
  EXPECT_EQ(problem.solve(options).form, RidgeForm::neurons);
  problem.states = random_states(40, problem.shape, 1, smooth_drive);
  EXPECT_EQ(problem.solve(options).form, RidgeForm::times);
}

TEST(Ridge, IsAFunctionOfTheLoadings) {
  const Problem problem;
  for (const auto form : {RidgeForm::neurons, RidgeForm::times, RidgeForm::reduced, RidgeForm::iterative}) {
    const auto solution = problem.solve(options_of(form));
    const auto again = matrix_of(solution.mean(problem.loadings), problem.loadings.partition);
    // By the neurons' own form n is not computed from the function: rounding is amplified by at most 1 / lambda.
    EXPECT_LT(relative_difference(again, problem.n(solution)), 1e-10) << static_cast<int>(form);
    const auto others = random_loadings(problem.shape, 3);
    EXPECT_GT(relative_difference(matrix_of(solution.mean(others), others.partition), problem.n(solution)), 0.1);
  }
}

TEST(Ridge, WorksForEveryActivation) {
  using model::Activation;
  for (const auto activation : {Activation::relu, Activation::clipped_relu, Activation::softplus, Activation::sigmoid,
                                Activation::erf, Activation::identity}) {
    Problem problem;
    problem.loadings.activation = activation;
    const auto direct = problem.solve(options_of(RidgeForm::times));
    const auto solution = problem.solve(options_of(RidgeForm::automatic));
    EXPECT_LE(solution.certificate.residual, 1e-6);
    EXPECT_LT(relative_difference(problem.n(solution), problem.n(direct)), 1e-2) << static_cast<int>(activation);
  }
}

TEST(Ridge, SolverKeepsItsBasisAndRefinesItWhenNeeded) {
  Problem problem;
  problem.shape = {.neurons = 2000};
  problem.states = random_states(400, problem.shape, 1, smooth_drive);
  problem.loadings = random_loadings(problem.shape, 2);
  RidgeSolver solver(problem.states, options_of(RidgeForm::reduced, 1e-5));
  const auto first = solver.solve(problem.loadings, problem.comm);
  const auto built = solver.bases_built();
  const auto fresh = random_loadings(problem.shape, 5);
  const auto second = solver.solve(fresh, problem.comm);
  EXPECT_EQ(solver.bases_built(), built);
  EXPECT_LE(second.certificate.residual, 1e-5);
  auto steep = random_loadings(problem.shape, 6);
  for (double& value : steep.m.values()) value *= 3.0;
  EXPECT_LE(solver.solve(steep, problem.comm).certificate.residual, 1e-5);
  EXPECT_GT(solver.bases_built() + solver.bases_extended(), built) << "control: outside of what it was built for";
}

/// Standard normal loadings, the first of which are ten times as large.
Loadings loadings_with_extremes(const Shape& shape, std::uint64_t seed, std::int64_t extremes) {
  auto loadings = random_loadings(shape, seed);
  for (std::int64_t i = 0; i < extremes; ++i)
    for (int r = 0; r < shape.rank; ++r) loadings.m.at(i, r) *= 10.0;
  return loadings;
}

TEST(Ridge, ExtremeNeuronsExtendTheBasisAndLeaveThePreviousOneInIt) {
  Problem problem;
  problem.shape = {.neurons = 2000};
  problem.states = random_states(400, problem.shape, 1, smooth_drive);
  problem.loadings = random_loadings(problem.shape, 2);
  const auto extreme = loadings_with_extremes(problem.shape, 5, 4);
  RidgeSolver solver(problem.states, options_of(RidgeForm::reduced, 1e-5));
  const auto before = solver.solve(problem.loadings, problem.comm).functions;
  const auto built = solver.bases_built();
  const auto solution = solver.solve(extreme, problem.comm);
  EXPECT_EQ(solver.bases_built(), built);
  EXPECT_GT(solver.bases_extended(), 0);
  EXPECT_GT(solution.functions, before);
  EXPECT_LT(solution.functions, before + 40) << "few neurons need few functions";
  const auto oracle = oracle_of(problem.states, extreme, [](double x) { return std::tanh(x); });
  EXPECT_LT(relative_difference(problem.n(solution), oracle.n(penalty)), 1e-5 / penalty);
  EXPECT_LE(solver.solve(problem.loadings, problem.comm).certificate.residual, 1e-5);
  EXPECT_LE(solver.solve(random_loadings(problem.shape, 6), problem.comm).certificate.residual, 1e-5);
  EXPECT_EQ(solver.bases_built(), built) << "what was there serves on";
}

TEST(Ridge, TheBasisDependsOnTheNeuronsThatChangedItOnly) {
  Problem problem;
  problem.shape = {.neurons = 2000};
  problem.states = random_states(400, problem.shape, 1, smooth_drive);
  const auto sample = [&](std::uint64_t seed) { return loadings_with_extremes(problem.shape, seed, seed % 3 == 0); };
  const auto last = random_loadings(problem.shape, 50);
  RidgeSolver straight(problem.states, options_of(RidgeForm::reduced, 1e-5));
  std::vector<std::uint64_t> changing;
  for (std::uint64_t seed = 10; seed < 20; ++seed) {
    const auto changes = straight.bases_built() + straight.bases_extended();
    straight.solve(sample(seed), problem.comm);
    if (straight.bases_built() + straight.bases_extended() != changes) changing.push_back(seed);
  }
  ASSERT_GT(changing.size(), 1);
  ASSERT_LT(changing.size(), 10);
  RidgeSolver again(problem.states, options_of(RidgeForm::reduced, 1e-5));
  for (const auto seed : changing) again.solve(sample(seed), problem.comm);
  const auto expected = problem.n(straight.solve(last, problem.comm));
  EXPECT_EQ(problem.n(again.solve(last, problem.comm)), expected);
  RidgeSolver other(problem.states, options_of(RidgeForm::reduced, 1e-5));
  other.solve(sample(changing.front()), problem.comm);
  EXPECT_NE(problem.n(other.solve(last, problem.comm)), expected) << "control: without the later ones";
}

template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(RidgeErrors, NameWhatIsWrong) {
  const Problem problem;
  auto options = options_of(RidgeForm::automatic);
  options.penalty = 0.0;
  EXPECT_THROW(problem.solve(options), ConfigurationError);
  EXPECT_THAT(message_of([&] { problem.solve(options); }), HasSubstr("lambda must be above 0, found 0"));
  options.penalty = -1.0;
  EXPECT_THROW(problem.solve(options), ConfigurationError);
  options.penalty = std::nan("");
  EXPECT_THROW(problem.solve(options), ConfigurationError);
  options = options_of(RidgeForm::automatic, 1.0);
  EXPECT_THAT(message_of([&] { problem.solve(options); }), HasSubstr("tolerance"));
  options = options_of(RidgeForm::reduced);
  options.basis.maximum_functions = 5;
  EXPECT_THAT(message_of([&] { problem.solve(options); }), HasSubstr("choose form \"iterative\""));
  options.basis.maximum_functions = 0;
  EXPECT_THROW(problem.solve(options), ConfigurationError);
}

TEST(RidgeErrors, NameLoadingsThatDoNotFit) {
  Problem problem;
  const auto solve = [&] { problem.solve(options_of(RidgeForm::automatic)); };
  problem.loadings = random_loadings({.neurons = 300, .rank = 3, .inputs = 1}, 2);
  EXPECT_THROW(solve(), InputDataError);
  EXPECT_THAT(message_of(solve), HasSubstr("loadings m have rank 3, the latents 2"));
  problem.loadings = random_loadings({.neurons = 300}, 2);
  EXPECT_THAT(message_of(solve), HasSubstr("input weights for 0 channels, the visited states 1"));
  problem.loadings = random_loadings(problem.shape, 2);
  problem.loadings.m.at(17, 1) = std::nan("");
  EXPECT_THAT(message_of(solve), HasSubstr("loadings of neuron 17 are not finite"));
  problem.loadings = make_loadings(parallel::Partition(300, 1, 0), model::Activation::tanh, 2, 1, false);
  EXPECT_THAT(message_of(solve), HasSubstr("responds to any"));
}

TEST(RidgeErrors, RefuseDirectFormsThatDoNotFitIntoMemory) {
  Problem problem;
  problem.shape.neurons = 20000;
  problem.loadings = random_loadings(problem.shape, 2);
  const auto solve = [&] { problem.solve(options_of(RidgeForm::neurons)); };
  EXPECT_THROW(solve(), ConfigurationError);
  EXPECT_THAT(message_of(solve), HasSubstr("20000 neurons"));
}

}  // namespace
}  // namespace rankflow::connectivity
