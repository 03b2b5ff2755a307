#include "nn/optimiser.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace rankflow::nn {
namespace {

using config::OptimiserKind;
using config::OptimiserOptions;
using config::Schedule;

/// Parameter p after `steps` steps on p^2 from 3 with learning rate 0.1.
double on_a_parabola(const OptimiserOptions& options, int steps) {
  Optimiser optimiser(options, 1, {{0, 1}});
  std::vector<double> p{3.0};
  for (int k = 0; k < steps; ++k) {
    const std::vector<double> gradient{2 * p[0]};
    optimiser.step(p, gradient, 0.1);
  }
  EXPECT_EQ(optimiser.steps(), steps);
  return p[0];
}

// Sequences in 40 digits (mpmath) from the formulas of PyTorch's documentation.
TEST(Optimiser, FollowsTheSequencesOfHighPrecision) {
  OptimiserOptions radam;
  radam.kind = OptimiserKind::radam;
  EXPECT_NEAR(on_a_parabola(radam, 1), 2.4, 1e-14);
  EXPECT_NEAR(on_a_parabola(radam, 5), 0.60494388924261934726, 1e-14) << "without the mean square";
  EXPECT_NEAR(on_a_parabola(radam, 6), 0.60281396657888471895, 1e-14) << "with it";
  EXPECT_NEAR(on_a_parabola(radam, 8), 0.59737423382371621726, 1e-14);
  OptimiserOptions adam;
  adam.weight_decay = 0.1;
  EXPECT_NEAR(on_a_parabola(adam, 5), 2.5017794561865546233, 1e-14);
  adam.kind = OptimiserKind::adamw;
  EXPECT_NEAR(on_a_parabola(adam, 5), 2.3652785732416888706, 1e-14);
}

TEST(Optimiser, FirstStepsByHand) {
  // Bias correction makes the first mean g and the first root |g|: Adam moves by the learning rate, RAdam by g times
  // it.
  for (const double g : {2.0, -1e3}) {
    for (const auto kind : {OptimiserKind::adam, OptimiserKind::radam}) {
      OptimiserOptions options;
      options.kind = kind;
      Optimiser optimiser(options, 1, {{0, 1}});
      std::vector<double> p{5.0};
      EXPECT_EQ(optimiser.step(p, std::vector<double>{g}, 0.01), std::abs(g));
      EXPECT_NEAR(p[0], kind == OptimiserKind::adam ? 5.0 - std::copysign(0.01, g) : 5.0 - 0.01 * g, 1e-9);
    }
  }
}

/// The formulas element by element, in plain loops.
void obvious_step(const OptimiserOptions& o, std::vector<double>& p, std::vector<double> g, std::vector<double>& m,
                  std::vector<double>& v, int t, double rate) {
  double norm = 0;
  for (const double value : g) norm += value * value;
  norm = std::sqrt(norm);
  for (std::size_t k = 0; k < p.size(); ++k) {
    if (o.clip_norm > 0 && norm > o.clip_norm) g[k] *= o.clip_norm / (norm + 1e-6);
    if (o.kind == OptimiserKind::adamw)
      p[k] -= rate * o.weight_decay * p[k];
    else
      g[k] += o.weight_decay * p[k];
    m[k] = o.beta1 * m[k] + (1 - o.beta1) * g[k];
    v[k] = o.beta2 * v[k] + (1 - o.beta2) * g[k] * g[k];
    const double mean = m[k] / (1 - std::pow(o.beta1, t));
    const double root = std::sqrt(v[k] / (1 - std::pow(o.beta2, t)));
    if (o.kind != OptimiserKind::radam) {
      p[k] -= rate * mean / (root + 1e-8);
      continue;
    }
    const double longest = 2 / (1 - o.beta2) - 1;
    const double length = longest - 2 * t * std::pow(o.beta2, t) / (1 - std::pow(o.beta2, t));
    const double rectified =
        std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
    // epsilon stands beside the root before its bias is corrected
    const double guarded = root + 1e-8 / std::sqrt(1 - std::pow(o.beta2, t));
    p[k] -= length > 5 ? rate * rectified * mean / guarded : rate * mean;
  }
}

TEST(Optimiser, AgreesWithPlainLoops) {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  for (const auto kind : {OptimiserKind::adam, OptimiserKind::adamw, OptimiserKind::radam})
    for (const double clip : {0.0, 1.5}) {
      OptimiserOptions options;
      options.kind = kind;
      options.clip_norm = clip;
      options.weight_decay = 0.02;
      options.beta1 = 0.8;
      options.beta2 = 0.99;
      const std::size_t size = 29;
      Optimiser optimiser(options, size, {{0, size}});
      std::vector<double> p(size);
      for (auto& value : p) value = normal(generator);
      auto expected = p;
      std::vector<double> m(size);
      std::vector<double> v(size);
      for (int t = 1; t <= 40; ++t) {
        std::vector<double> gradient(size);
        for (auto& value : gradient) value = 0.3 * normal(generator);
        optimiser.step(p, gradient, 0.05);
        obvious_step(options, expected, gradient, m, v, t, 0.05);
      }
      for (std::size_t k = 0; k < size; ++k) EXPECT_NEAR(p[k], expected[k], 1e-13);
    }
}

TEST(Optimiser, ClippingKeepsTheDirection) {
  OptimiserOptions options;
  options.kind = OptimiserKind::radam;
  options.clip_norm = 1.0;
  Optimiser optimiser(options, 2, {{0, 2}});
  std::vector<double> p{0.0, 0.0};
  EXPECT_EQ(optimiser.step(p, std::vector<double>{30.0, 40.0}, 1.0), 50.0);
  EXPECT_NEAR(p[0], -0.6, 1e-6);
  EXPECT_NEAR(p[1], -0.8, 1e-6);
}

TEST(Optimiser, FixedParametersStay) {
  OptimiserOptions options;
  options.kind = OptimiserKind::adamw;
  options.weight_decay = 0.5;
  options.clip_norm = 1.0;
  Optimiser optimiser(options, 5, {{0, 1}, {3, 5}});
  std::vector<double> p{1.0, 2.0, 3.0, 4.0, 5.0};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(optimiser.step(p, std::vector<double>{3.0, nan, 100.0, 0.0, 4.0}, 0.1), 5.0);
  EXPECT_EQ(p[1], 2.0);
  EXPECT_EQ(p[2], 3.0);
  EXPECT_NE(p[0], 1.0);
  EXPECT_NE(p[3], 4.0) << "decays without a gradient";
}

TEST(Optimiser, GradientsThatAreNotFiniteChangeNothing) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Optimiser optimiser({}, 3, {{0, 3}});
    std::vector<double> p{1.0, 2.0, 3.0};
    EXPECT_FALSE(std::isfinite(optimiser.step(p, std::vector<double>{1.0, bad, 1.0}, 0.1)));
    EXPECT_EQ(p, (std::vector<double>{1.0, 2.0, 3.0}));
    EXPECT_EQ(optimiser.steps(), 0);
    EXPECT_EQ(norm_over(optimiser.state(), std::vector<ParameterRange>{{0, 6}}), 0.0);
  }
}

TEST(Optimiser, GoesOnFromItsStateBitByBit) {
  OptimiserOptions options;
  options.kind = OptimiserKind::radam;
  Optimiser straight(options, 3, {{0, 3}});
  std::vector<double> p{1.0, -2.0, 3.0};
  const auto walk = [](Optimiser& optimiser, std::vector<double>& point, int steps) {
    for (int k = 0; k < steps; ++k)
      optimiser.step(point, std::vector<double>{point[0], std::sin(point[1]), point[2] * point[0]}, 0.05);
  };
  walk(straight, p, 7);
  const std::vector<double> stored(straight.state().begin(), straight.state().end());
  auto q = p;
  auto forgetful = p;
  walk(straight, p, 5);
  Optimiser resumed(options, 3, {{0, 3}});
  resumed.restore(7, stored);
  walk(resumed, q, 5);
  EXPECT_EQ(q, p);
  Optimiser fresh(options, 3, {{0, 3}});
  walk(fresh, forgetful, 5);
  EXPECT_NE(forgetful, p) << "control";
  EXPECT_THROW(fresh.restore(7, std::vector<double>(5)), InternalError);
}

TEST(Optimiser, MinimisesAQuadratic) {
  for (const auto kind : {OptimiserKind::adam, OptimiserKind::adamw, OptimiserKind::radam}) {
    OptimiserOptions options;
    options.kind = kind;
    options.schedule = Schedule::cosine;
    options.learning_rate = 0.1;
    options.warmup_steps = 10;
    Optimiser optimiser(options, 10, {{0, 10}});
    std::vector<double> p(10, 3.0);
    const std::int64_t total = 2000;
    for (std::int64_t k = 0; k < total; ++k) {
      std::vector<double> gradient(10);
      for (std::size_t i = 0; i < 10; ++i) gradient[i] = static_cast<double>(i + 1) * (p[i] - static_cast<double>(i));
      optimiser.step(p, gradient, scheduled_learning_rate(options, k, total));
    }
    // The learning rate ends at 1e-6 by way of steps below 1e-4: errors are within some such steps.
    for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(p[i], static_cast<double>(i), 1e-4);
  }
}

TEST(Schedule, WarmsUpThenFalls) {
  OptimiserOptions options;
  options.learning_rate = 1e-2;
  options.final_learning_rate = 1e-4;
  EXPECT_EQ(scheduled_learning_rate(options, 0, 100), 1e-2);
  EXPECT_EQ(scheduled_learning_rate(options, 99, 100), 1e-2);
  options.warmup_steps = 20;
  EXPECT_NEAR(scheduled_learning_rate(options, 0, 121), 1e-2 / 20, 1e-17);
  EXPECT_NEAR(scheduled_learning_rate(options, 9, 121), 1e-2 / 2, 1e-17);
  EXPECT_NEAR(scheduled_learning_rate(options, 20, 121), 1e-2, 1e-17);
  options.schedule = Schedule::exponential;
  EXPECT_NEAR(scheduled_learning_rate(options, 20, 121), 1e-2, 1e-17);
  EXPECT_NEAR(scheduled_learning_rate(options, 70, 121), 1e-3, 1e-16) << "geometric mean half way";
  EXPECT_NEAR(scheduled_learning_rate(options, 120, 121), 1e-4, 1e-17);
  options.schedule = Schedule::cosine;
  EXPECT_NEAR(scheduled_learning_rate(options, 20, 121), 1e-2, 1e-17);
  EXPECT_NEAR(scheduled_learning_rate(options, 70, 121), (1e-2 + 1e-4) / 2, 1e-16) << "mean half way";
  EXPECT_NEAR(scheduled_learning_rate(options, 120, 121), 1e-4, 1e-17);
  EXPECT_NEAR(scheduled_learning_rate(options, 500, 121), 1e-4, 1e-17) << "beyond the end";
  EXPECT_GT(scheduled_learning_rate(options, 20, 21), 0.0) << "one step after the warm-up";
}

}  // namespace
}  // namespace rankflow::nn
