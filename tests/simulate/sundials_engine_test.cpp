#include "simulate/sundials_engine.hpp"

#include <unistd.h>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unsupported/Eigen/MatrixFunctions>

#include "io/checkpoint_store.hpp"
#include "simulate/sundials_runs.hpp"

namespace rankflow::simulate {
namespace {

using config::Method;
using config::Space;
using test::Bench;
using test::Experiment;
using testing::HasSubstr;

Experiment experiment(Method method, Space space = Space::neuron, double tolerance = 1e-9) {
  Experiment result{.recipe = {.neurons = 700, .bias = true}, .row_times = test::times(20, 0.5)};
  result.options.time.duration = 0.5;
  auto& integration = result.options.integration;
  integration.method = method;
  integration.space = space;
  integration.order = 5;
  integration.relative_tolerance = tolerance;
  integration.absolute_tolerance = tolerance;
  return result;
}

class Methods : public testing::TestWithParam<std::tuple<Method, Space>> {
 protected:
  Method method() const { return std::get<0>(GetParam()); }
  Space space() const { return std::get<1>(GetParam()); }
};

/// x' = A x + c exactly, c the constant input's drive.
TEST_P(Methods, SolveALinearNetworkExactly) {
  Experiment setup = experiment(method(), space());
  setup.recipe = {.neurons = 40, .rank = 3, .activation = model::Activation::identity, .leak = 0.9};
  config::InputOptions constant;
  constant.amplitude = 0.7;
  setup.options.inputs = {constant};
  Bench bench(setup);
  ASSERT_TRUE(bench.run());

  constexpr Eigen::Index n = 40;
  const auto& network = bench.network;
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(n + 1, n + 1);
  Eigen::VectorXd start = Eigen::VectorXd::Zero(n + 1);
  start[n] = 1.0;
  const auto initial = test::initial_of(setup);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (int r = 0; r < network.rank; ++r) {
      start[i] += network.m.at(i, r) * initial.latent[static_cast<std::size_t>(r)];
      for (Eigen::Index j = 0; j < n; ++j) system(i, j) += network.m.at(i, r) * network.n.at(j, r) / n;
    }
    system(i, i) -= network.leak;
    system(i, n) = 0.7 * network.input_weights.at(i, 0);
  }
  system /= network.shared_tau;
  for (const std::int64_t row : {0, 3, 10, 20}) {
    const double t = setup.row_times[static_cast<std::size_t>(row)];
    const Eigen::VectorXd exact = (system * t).exp() * start;
    const auto& x = bench.sink.potentials.at({0, row});
    const Eigen::Map<const Eigen::VectorXd> found(x.data(), n);
    EXPECT_LT((found - exact.head(n)).lpNorm<Eigen::Infinity>(), 1e-6 * (1 + exact.lpNorm<Eigen::Infinity>()))
        << "t = " << t;
    if (row == 0) continue;
    EXPECT_GT((found - start.head(n)).lpNorm<Eigen::Infinity>(), 0.1) << "control: it moved";
  }
}

/// Without recurrence the filtered input follows v' = (u - v)/tau: closed form on either side of each jump.
TEST_P(Methods, JumpsOfTheInputAreHitExactly) {
  Experiment setup = experiment(method(), space());
  setup.recipe = {.neurons = 30, .rank = 1, .overlap = 0.0};
  setup.latent = {0.0};
  setup.options.inputs = {test::pulse(0.1234, 0.3, 2.0)};
  auto network = test::make_network(setup.recipe, Bench::serial());
  std::ranges::fill(network.n.values(), 0.0);
  Bench bench(setup, Bench::serial(), std::move(network));
  ASSERT_TRUE(bench.run());
  const double tau = bench.network.shared_tau;
  for (std::int64_t row = 0; row <= 20; ++row) {
    const double t = setup.row_times[static_cast<std::size_t>(row)];
    double v = 0.0;
    if (t > 0.1234) v = 2.0 * (1.0 - std::exp(-(std::min(t, 0.3) - 0.1234) / tau));
    if (t > 0.3) v *= std::exp(-(t - 0.3) / tau);
    const double weight = bench.network.input_weights.at(7, 0);
    EXPECT_NEAR(bench.sink.potentials.at({0, row})[7], weight * v, 1e-7 * std::abs(weight)) << "t = " << t;
  }
  EXPECT_EQ(bench.count("restarts"), 10 + 1) << "ten segments, one more for the jump that is no segment's end";
}

/// A random input is held over each time step: v relaxes to one value after the other.
TEST_P(Methods, RandomInputsAreHeldOverEachStep) {
  Experiment setup = experiment(method(), space());
  setup.recipe = {.neurons = 30, .rank = 1};
  setup.latent = {0.0};
  setup.options.time.step = 0.025;
  config::InputOptions random;
  random.kind = config::InputKind::ornstein_uhlenbeck;
  setup.options.inputs = {random};
  auto network = test::make_network(setup.recipe, Bench::serial());
  std::ranges::fill(network.n.values(), 0.0);
  Bench bench(setup, Bench::serial(), std::move(network));
  ASSERT_TRUE(bench.run());
  model::Inputs inputs(setup.options.inputs, 1, setup.options.time.step, 1, 3);
  double v = 0.0;
  for (std::int64_t row = 0; row <= 20; ++row) {
    const double weight = bench.network.input_weights.at(7, 0);
    EXPECT_NEAR(bench.sink.potentials.at({0, row})[7], weight * v, 1e-7 * std::abs(weight)) << "row " << row;
    double u = 0.0;
    inputs.at_step(0, row, std::span(&u, 1));
    v = u + (v - u) * std::exp(-setup.options.time.step / bench.network.shared_tau);
  }
  EXPECT_EQ(bench.count("restarts"), 20);
}

TEST_P(Methods, StopAtAThresholdOfALatent) {
  Experiment setup = experiment(method(), space());
  setup.recipe = {.neurons = 200, .rank = 1, .inputs = 0};
  setup.options.time.trials = 3;
  setup.latent = {1.0, 0.45, 2.0};  // the second starts past the threshold and never falls through it
  setup.options.stop = config::StopOptions{.latent = 0, .above = std::nullopt, .below = 0.5};
  auto network = test::make_network(setup.recipe, Bench::serial());
  std::ranges::fill(network.n.values(), 0.0);
  Bench bench(setup, Bench::serial(), std::move(network));
  ASSERT_TRUE(bench.run());
  const double tau = bench.network.shared_tau;
  const auto stops = bench.engine->stop_times();
  EXPECT_NEAR(stops[0], tau * std::log(2.0), 1e-8);
  EXPECT_TRUE(std::isnan(stops[1]));
  EXPECT_NEAR(stops[2], tau * std::log(4.0), 1e-8);
  for (int trial = 0; trial < 3; ++trial)
    for (std::int64_t row = 0; row <= 20; ++row) {
      const bool before =
          trial == 1 || setup.row_times[static_cast<std::size_t>(row)] <= stops[static_cast<std::size_t>(trial)];
      EXPECT_EQ(bench.sink.latents.contains({trial, row}), before) << trial << ' ' << row;
    }
  std::vector<double> z(3);
  bench.engine->final_state().latents(z);
  EXPECT_NEAR(z[0], 0.5, 1e-7);
  EXPECT_NEAR(z[2], 0.5, 1e-7);

  setup.options.stop = config::StopOptions{.latent = 0, .above = 0.5, .below = std::nullopt};
  auto again = test::make_network(setup.recipe, Bench::serial());
  std::ranges::fill(again.n.values(), 0.0);
  Bench rising(setup, Bench::serial(), std::move(again));
  ASSERT_TRUE(rising.run());
  for (const double stop : rising.engine->stop_times()) EXPECT_TRUE(std::isnan(stop)) << "it only falls";
}

INSTANTIATE_TEST_SUITE_P(All, Methods,
                         testing::Combine(testing::Values(Method::runge_kutta, Method::adams, Method::bdf),
                                          testing::Values(Space::neuron, Space::latent)));

TEST(LatentSpace, EqualsNeuronSpaceWhenItStartsInTheSpan) {
  for (const auto method : {Method::runge_kutta, Method::adams, Method::bdf}) {
    Experiment setup = experiment(method);
    setup.options.inputs = {test::pulse(0.1, 0.25, 1.5), test::sinusoid(0.5, 3.0)};
    setup.options.time.trials = 2;
    Bench neurons(setup);
    setup.options.integration.space = Space::latent;
    Bench latents(setup);
    ASSERT_TRUE(neurons.run() && latents.run());
    ASSERT_EQ(neurons.sink.latents.size(), 42U);
    for (const auto& [key, z] : neurons.sink.latents)
      EXPECT_LT(test::largest_difference(z, latents.sink.latents.at(key)), 2e-6);
    EXPECT_LT(test::largest_difference(neurons.sink, latents.sink), 1e-5);
    EXPECT_GT(test::largest_difference(neurons.sink.z(0), neurons.sink.z(20)), 0.1) << "control: it moved";
  }
}

TEST(LatentSpace, IsRefusedWhereItIsNotExact) {
  Experiment setup = experiment(Method::bdf, Space::latent);
  setup.recipe.own_tau = true;
  try {
    Bench bench(setup);
    FAIL() << "per-neuron time constants were accepted";
  } catch (const ConfigurationError& error) {
    EXPECT_THAT(error.what(), HasSubstr("integration.space"));
  }
  setup.recipe.own_tau = false;
  setup.options.network.bulk.kind = config::BulkKind::procedural;
  setup.options.network.bulk.gain = 0.5;
  EXPECT_THROW(Bench{setup}, ConfigurationError);
}

/// BDF with a random bulk: Krylov with the low-rank Newton solve as preconditioner.
TEST(RandomBulk, BdfAgreesWithRungeKutta) {
  Experiment setup = experiment(Method::bdf, Space::neuron, 1e-8);
  setup.options.network.bulk.kind = config::BulkKind::procedural;
  setup.options.network.bulk.gain = 0.8;
  setup.options.network.bulk.in_degree = 50;
  setup.potential_std = 0.3;
  Bench implicit(setup);
  ASSERT_TRUE(implicit.run());
  EXPECT_GT(implicit.count("krylov_iterations"), 0);
  setup.options.integration.method = Method::runge_kutta;
  Bench reference(setup);
  ASSERT_TRUE(reference.run());
  EXPECT_LT(test::largest_difference(implicit.sink, reference.sink), 1e-5);
  setup.options.network.bulk.gain = 0.0;
  setup.options.network.bulk.kind = config::BulkKind::none;
  Bench without(setup);
  ASSERT_TRUE(without.run());
  EXPECT_GT(test::largest_difference(without.sink, reference.sink), 1e-2) << "control: the bulk matters";
}

TEST(FixedSteps, AreCountedOnTheGridAlsoAcrossRestartsAndJumps) {
  Experiment setup = experiment(Method::runge_kutta);
  setup.options.integration.adaptive = false;
  setup.options.integration.order = 4;
  setup.options.time.step = 1e-3;
  setup.options.integration.restart_every = 0.0333;  // 33 steps
  setup.options.inputs = {test::pulse(0.1, 0.2, 1.0)};
  Bench on_grid(setup);
  ASSERT_TRUE(on_grid.run());
  EXPECT_EQ(on_grid.count("steps"), 500);
  setup.options.inputs = {test::pulse(0.1005, 0.2, 1.0)};
  Bench off_grid(setup);
  ASSERT_TRUE(off_grid.run());
  EXPECT_EQ(off_grid.count("steps"), 501) << "the step with the jump inside is cut in two";
}

// --- stop and resume ---------------------------------------------------------------------------------------------

struct Interrupted {
  Method method;
  Space space;
  bool adaptive;
  bool bulk;
};
class Resume : public testing::TestWithParam<Interrupted> {
 protected:
  Experiment make() const {
    Experiment setup = experiment(GetParam().method, GetParam().space, 1e-6);
    setup.options.integration.adaptive = GetParam().adaptive;
    setup.options.time.trials = 2;
    setup.options.time.step = 5e-3;
    setup.options.inputs = {test::pulse(0.12, 0.31, 1.0), test::sinusoid(1.0, 4.0)};
    if (GetParam().bulk) {
      setup.recipe.neurons = 200;
      setup.options.network.bulk.kind = config::BulkKind::procedural;
      setup.options.network.bulk.gain = 0.8;
      setup.options.network.bulk.in_degree = 20;
    }
    return setup;
  }
};

void expect_same_counters(const Engine& a, const Engine& b) {
  const auto left = a.counters(), right = b.counters();
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t k = 0; k < left.size(); ++k) EXPECT_EQ(left[k].values, right[k].values) << left[k].name;
}

TEST_P(Resume, GivesTheBitsOfARunThatWasNeverStopped) {
  const Experiment setup = make();
  Bench straight(setup);
  ASSERT_TRUE(straight.run());
  EXPECT_EQ(straight.sink.latents.size(), 42U);
  const std::string output = testing::TempDir() + "sundials_resume_" + std::to_string(::getpid()) + ".h5";
  for (const int records : {1, 9, 24}) {
    io::CheckpointStore store(output, Bench::serial(), "test");
    Bench first(setup);
    first.sink.signal_after(records);
    ASSERT_FALSE(first.run()) << "the signal came too late";
    EXPECT_LT(first.engine->progress(), 1.0);
    store.write(1, [&](io::CheckpointWriter& writer) { first.engine->save(writer); });
    Bench second(setup);
    store.load_latest([&](const io::CheckpointReader& reader) { second.engine->resume(reader); });
    store.remove_all();
    EXPECT_LE(second.engine->progress(), first.engine->progress());
    ASSERT_TRUE(second.run());
    EXPECT_EQ(second.engine->progress(), 1.0);
    auto rows = first.sink.potentials;
    for (auto& [key, x] : second.sink.potentials) {
      // A row that was recorded twice must have had the same bits the first time.
      if (rows.contains(key)) {
        EXPECT_EQ(rows[key], x);
      }
      rows[key] = x;
    }
    EXPECT_EQ(rows, straight.sink.potentials) << "stopped after " << records << " rows";
    expect_same_counters(*second.engine, *straight.engine);
  }
  Experiment other = setup;
  other.options.integration.restart_every = 0.17;
  Bench elsewhere(other);
  ASSERT_TRUE(elsewhere.run());
  if (GetParam().adaptive) {
    EXPECT_NE(elsewhere.sink.potentials, straight.sink.potentials) << "control: restarts leave their mark";
  } else {
    EXPECT_LT(test::largest_difference(elsewhere.sink, straight.sink), 1e-13) << "fixed steps do not feel restarts";
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, Resume,
                         testing::Values(Interrupted{Method::runge_kutta, Space::neuron, true, false},
                                         Interrupted{Method::runge_kutta, Space::neuron, false, false},
                                         Interrupted{Method::runge_kutta, Space::latent, true, false},
                                         Interrupted{Method::adams, Space::neuron, true, false},
                                         Interrupted{Method::adams, Space::latent, true, false},
                                         Interrupted{Method::bdf, Space::neuron, true, false},
                                         Interrupted{Method::bdf, Space::neuron, true, true},
                                         Interrupted{Method::bdf, Space::latent, true, false}));

TEST(Checkpoint, IsTakenBetweenTwoSegmentsAndTheRunGoesOn) {
  const Experiment setup = experiment(Method::adams);
  Bench straight(setup);
  ASSERT_TRUE(straight.run());
  Bench bench(setup);
  // A checkpoint is always due: each call ends with one segment.
  parallel::HaltMonitor halt(bench.comm, {.checkpoint_every = 1e-9, .interval = 0.0});
  int calls = 1;
  for (; !bench.engine->run(bench.sink, halt); ++calls) ASSERT_EQ(halt.last(), parallel::Halt::checkpoint);
  EXPECT_EQ(calls, 10);
  EXPECT_EQ(bench.sink.potentials, straight.sink.potentials);
}

// --- failures ----------------------------------------------------------------------------------------------------

std::string failure_of(const Experiment& setup) {
  try {
    Bench bench(setup);
    bench.run();
  } catch (const NumericalError& error) {
    EXPECT_EQ(error.code(), ExitCode::numerical);
    return error.what();
  }
  return "no failure";
}

TEST(Failures, NameTheQuantityThatGrewWithoutBound) {
  for (const auto space : {Space::neuron, Space::latent}) {
    Experiment setup = experiment(Method::runge_kutta, space, 1e-3);
    setup.recipe.activation = model::Activation::identity;
    setup.recipe.overlap = 400.0;
    setup.options.time.trials = 1;
    const std::string message = failure_of(setup);
    EXPECT_THAT(message, HasSubstr("latent drive kappa_"));
    EXPECT_THAT(message, HasSubstr("in trial 0 at t = 0."));
  }
}

TEST(Failures, TooManyStepsSaysWhereAndWhatToDo) {
  Experiment setup = experiment(Method::runge_kutta);
  setup.options.integration.maximum_steps = 2;
  const std::string message = failure_of(setup);
  EXPECT_THAT(message, HasSubstr("integration.maximum_steps = 2"));
  EXPECT_THAT(message, HasSubstr("trial 0"));
  EXPECT_THAT(message, HasSubstr("bdf"));
}

TEST(Failures, ImpossibleTolerancesAreNamed) {
  for (const auto method : {Method::runge_kutta, Method::adams, Method::bdf}) {
    testing::internal::CaptureStderr();
    const std::string message = failure_of(experiment(method, Space::neuron, 1e-18));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "SUNDIALS must not write by itself";
    EXPECT_THAT(message, HasSubstr("double precision"));
    EXPECT_THAT(message, HasSubstr("integration.relative_tolerance"));
    EXPECT_THAT(message, HasSubstr("last step"));
  }
}

}  // namespace
}  // namespace rankflow::simulate
