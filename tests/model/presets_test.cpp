#include "model/presets.hpp"

#include <array>

#include "io/array_import.hpp"
#include "model/build_network.hpp"
#include "model_support.hpp"

namespace rankflow::model {
namespace {

using config::Preset;

Network<double> build(Preset preset, std::int64_t neurons, int inputs = 0) {
  config::NetworkOptions options;
  options.preset = preset;
  options.neurons = neurons;
  return build_network<double>(options, inputs, 1, parallel::Communicator());
}

using Point = std::array<double, 2>;

/// (1/N) n^T tanh(m z).
Point recurrent(const Network<double>& network, const Point& z) {
  Point sum{};
  for (std::int64_t i = 0; i < network.neurons(); ++i) {
    const double rate = std::tanh(network.m.at(i, 0) * z[0] + network.m.at(i, 1) * z[1]);
    for (int r = 0; r < 2; ++r) sum[static_cast<std::size_t>(r)] += network.n.at(i, r) * rate;
  }
  return {sum[0] / static_cast<double>(network.neurons()), sum[1] / static_cast<double>(network.neurons())};
}

/// `steps` Euler steps of 0.1 tau.
Point follow(const Network<double>& network, Point z, int steps) {
  for (int t = 0; t < steps; ++t) {
    const auto drive = recurrent(network, z);
    for (std::size_t r = 0; r < 2; ++r) z[r] += 0.1 * (drive[r] - z[r]);
  }
  return z;
}

double distance(const Point& a, const Point& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1]);
}

/// Different end points of trajectories from a ring of starts.
std::vector<Point> attractors(const Network<double>& network) {
  std::vector<Point> ends;
  for (int k = 0; k < 8; ++k) {
    const double angle = 0.3 + k * std::acos(-1.0) / 4;
    const auto end = follow(network, {2 * std::cos(angle), 2 * std::sin(angle)}, 1500);
    const auto known = [&](const Point& other) { return distance(end, other) < 0.05; };
    if (std::none_of(ends.begin(), ends.end(), known)) ends.push_back(end);
  }
  return ends;
}

TEST(Presets, OverlapsAreTheDocumentedOnes) {
  const auto check = [](Preset preset, const std::array<std::array<double, 2>, 2>& sigma) {
    const auto network = build(preset, 100'000);
    for (int r = 0; r < 2; ++r) {
      const auto n = column(network.n, network.partition, r);
      expect_near(product_mean(n, n), 4.0, "var n");
      for (int s = 0; s < 2; ++s) {
        const auto m = column(network.m, network.partition, s);
        expect_near(product_mean(n, m), sigma[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)], "cov(n, m)");
        expect_near(product_mean(column(network.m, network.partition, r), m), r == s ? 1 : 0, "cov(m, m)");
      }
    }
  };
  check(Preset::bistable, {{{1.2, 0.8}, {0.0, 1.6}}});
  check(Preset::limit_cycle, {{{1.6, -0.8}, {0.8, 1.6}}});
  check(Preset::ring_attractor, {{{1.6, 0.0}, {0.0, 1.6}}});
}

TEST(Presets, FixedPointsAreThosePromised) {
  const auto two = attractors(build(Preset::bistable, 4000));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_LT(distance(two[0], {-two[1][0], -two[1][1]}), 0.1);
  EXPECT_EQ(attractors(build(Preset::quadstable, 4000)).size(), 4u);
}

TEST(Presets, LimitCycleTurnsForEver) {
  const auto network = build(Preset::limit_cycle, 4000);
  auto z = follow(network, {0.5, 0.0}, 1500);
  int turns = 0;
  for (int t = 0; t < 1000; ++t) {
    const auto next = follow(network, z, 1);
    EXPECT_GT(distance(next, z), 0.01);
    turns += z[1] < 0 && next[1] >= 0 && next[0] > 0;
    z = next;
  }
  EXPECT_GE(turns, 3);
}

TEST(Presets, RingAttractorHoldsEveryDirectionForAWhile) {
  const auto network = build(Preset::ring_attractor, 100'000);
  std::vector<double> radii;
  for (int k = 0; k < 4; ++k) {
    const double angle = 0.4 + k * std::acos(-1.0) / 2;
    const auto end = follow(network, {std::cos(angle), std::sin(angle)}, 100);
    radii.push_back(std::hypot(end[0], end[1]));
    EXPECT_NEAR(std::remainder(std::atan2(end[1], end[0]) - angle, 2 * std::acos(-1.0)), 0.0, 0.15);
  }
  for (const double radius : radii) EXPECT_NEAR(radius, radii[0], 0.1 * radii[0]);
  EXPECT_GT(radii[0], 0.5);
}

TEST(Presets, DecisionHasTwoChoicesAndFollowsItsInput) {
  const auto network = build(Preset::decision, 100'000, 1);
  ASSERT_EQ(network.rank, 1);
  ASSERT_EQ(network.inputs, 1);
  const auto field = [&](double kappa, double v) {
    double sum = 0;
    for (std::int64_t i = 0; i < network.neurons(); ++i)
      sum += network.n.at(i, 0) * std::tanh(network.m.at(i, 0) * kappa + network.input_weights.at(i, 0) * v);
    return sum / static_cast<double>(network.neurons()) - kappa;
  };
  // Slope 0.4 at the origin: kappa leaves it on either side and comes to rest before 3.
  EXPECT_GT(field(0.2, 0), 0.0);
  EXPECT_LT(field(3.0, 0), 0.0);
  EXPECT_LT(field(-0.2, 0), 0.0);
  EXPECT_GT(field(-3.0, 0), 0.0);
  EXPECT_GT(field(0.0, 0.5), 0.3);
  EXPECT_LT(field(0.0, -0.5), -0.3);
  // A strong input overrules a choice.
  EXPECT_LT(field(1.0, -2.0), 0.0);
}

TEST(Presets, HaveTheRankAndInputsTheyHave) {
  config::NetworkOptions options;
  options.preset = Preset::bistable;
  options.rank = 1;
  const auto build_it = [&](int inputs) { build_network<double>(options, inputs, 1, parallel::Communicator()); };
  expect_error<ConfigurationError>([&] { build_it(0); }, {"network.rank = 1", "\"bistable\"", "rank 2"});
  options.rank = 2;
  EXPECT_NO_THROW(build_it(0));
  expect_error<ConfigurationError>([&] { build_it(1); }, {"drive 1 channel(s)", "input weights for 0"});
  expect_error<ConfigurationError>([&] { build(Preset::decision, 10, 2); }, {"drive 2", "input weights for 1"});
}

TEST(Presets, TableNamesThemAll) {
  const auto table = preset_table_markdown();
  for (const auto* text : {"`bistable`", "`quadstable`", "`limit_cycle`", "`ring_attractor`", "`decision`",
                           "[1.2, 0.8, 4, 0]", "[-0.87, 0.87, -2.31, 2.31]"})
    EXPECT_NE(table.find(text), std::string::npos) << text << " in\n" << table;
}

/// E[n | m] = A m in the published files: A must be our cov(n_r, m_s), not its transpose.
class PublishedOverlaps : public testing::TestWithParam<std::pair<Preset, const char*>> {};

TEST_P(PublishedOverlaps, AreOurs) {
  const auto [preset, name] = GetParam();
  const auto path = shared_file(std::string("published/connector_") + name + ".h5");
  if (!path) {
    if (shared_files_required()) FAIL() << "../shared/data/published is missing";
    GTEST_SKIP() << "SKIPPED: ../shared/data/published/connector_" << name << ".h5 is not there";
  }
  const parallel::Communicator serial;
  const auto m = io::read_array(serial, {.path = *path, .member = "/m"});
  const auto conditional_mean = io::read_array(serial, {.path = *path, .member = "/cond_mean_n_given_m"});
  const auto covariance = preset_network(preset).populations[0].covariance;
  double transposed = 0;
  for (std::size_t i = 0; i < m.shape[0]; ++i)
    for (std::size_t r = 0; r < 2; ++r) {
      const auto predicted = [&](const auto& a) { return a(0) * m.data[2 * i] + a(1) * m.data[2 * i + 1]; };
      const double found = conditional_mean.data[2 * i + r];
      EXPECT_NEAR(predicted([&](std::size_t s) { return covariance[2 + r][s]; }), found, 1e-6);
      transposed =
          std::max(transposed, std::abs(predicted([&](std::size_t s) { return covariance[2 + s][r]; }) - found));
    }
  if (preset != Preset::ring_attractor) {
    EXPECT_GT(transposed, 0.1) << "control";
  }
}

INSTANTIATE_TEST_SUITE_P(Connector, PublishedOverlaps,
                         testing::Values(std::pair{Preset::bistable, "bistable"},
                                         std::pair{Preset::limit_cycle, "limit_cycle"},
                                         std::pair{Preset::ring_attractor, "ring"}));

TEST(Presets, QuadstableMeansAreThePublishedOnes) {
  const auto path = shared_file("published/connector_quadstable.h5");
  if (!path) {
    if (shared_files_required()) FAIL() << "../shared/data/published is missing";
    GTEST_SKIP() << "SKIPPED: ../shared/data/published/connector_quadstable.h5 is not there";
  }
  const parallel::Communicator serial;
  const auto m = io::read_array(serial, {.path = *path, .member = "/mixture_a_m"});
  const auto n = io::read_array(serial, {.path = *path, .member = "/mixture_a_n"});
  const auto clouds = preset_network(Preset::quadstable).populations;
  ASSERT_EQ(m.data.size(), 2 * clouds.size());
  for (std::size_t k = 0; k < clouds.size(); ++k)
    for (std::size_t r = 0; r < 2; ++r) {
      EXPECT_NEAR(clouds[k].mean[r], m.data[2 * k + r], 1e-6);
      EXPECT_NEAR(clouds[k].mean[2 + r], n.data[2 * k + r], 1e-6);
    }
}

}  // namespace
}  // namespace rankflow::model
