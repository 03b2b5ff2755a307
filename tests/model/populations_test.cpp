#include "model/populations.hpp"

#include <limits>

#include "model/build_network.hpp"
#include "model/populations_covariance.hpp"
#include "model_support.hpp"

namespace rankflow::model {
namespace {

using config::NetworkOptions;
using config::NetworkSource;
using Matrix = std::vector<std::vector<double>>;

/// Rank 1, one input: two populations that differ in everything.
NetworkOptions two_populations(std::int64_t neurons) {
  NetworkOptions options;
  options.source = NetworkSource::populations;
  options.neurons = neurons;
  options.rank = 1;
  options.populations.resize(2);
  options.populations[0] = {"first", 3.0, {0.5, -1.0}, {{1.0, 0.6, 0.0}, {0.6, 2.0, 0.5}, {0.0, 0.5, 1.0}}};
  options.populations[1] = {"second", 1.0, {-1.0, 2.0, 0.25, 3.0}, {{0.25, 0.25}, {0.25, 0.25}}};
  return options;
}

Network<double> build(const NetworkOptions& options, int inputs = 1, std::uint64_t seed = 7) {
  return build_network<double>(options, inputs, seed, parallel::Communicator());
}

TEST(SquareRoot, SquaredIsTheMatrixAlsoWhenSingular) {
  for (const Matrix& c :
       {Matrix{{2.0, 0.3, -0.4}, {0.3, 1.0, 0.1}, {-0.4, 0.1, 0.5}}, Matrix{{1.0, 2.0}, {2.0, 4.0}},  // rank one
        Matrix{{0.0, 0.0}, {0.0, 3.0}}}) {
    const auto s = square_root(c, "key");
    for (std::size_t i = 0; i < c.size(); ++i)
      for (std::size_t j = 0; j < c.size(); ++j) {
        double product = 0;
        for (std::size_t k = 0; k < c.size(); ++k) product += s[i][k] * s[k][j];
        EXPECT_NEAR(product, c[i][j], 1e-13);
      }
  }
  EXPECT_TRUE(square_root({}, "key").empty());
}

TEST(SquareRoot, LeavesUncorrelatedVariablesApart) {
  const auto s = square_root({{1.6, 0, 0.7}, {0, 0.9, 0}, {0.7, 0, 2.0}}, "key");
  EXPECT_EQ(s[0][1], 0.0);
  EXPECT_EQ(s[1][2], 0.0);
  EXPECT_NE(s[0][2], 0.0);
}

TEST(SquareRoot, RefusesWhatIsNoCovariance) {
  const auto refuse = [](const Matrix& c, std::initializer_list<std::string_view> words) {
    expect_error<ConfigurationError>([&] { square_root(c, "network.populations.2.covariance"); }, words);
  };
  refuse({{1, 2}, {2, 1}}, {"network.populations.2.covariance", "eigenvalue is -1", "add at least 1"});
  refuse({{1, 0.5}, {0.4, 1}}, {"covariance", "not symmetric", "[1][0] is 0.4", "[0][1] is 0.5"});
  refuse({{1, 0}, {0}}, {"row 1 has 1 values", "2 rows"});
  refuse({{1, 0}, {0, std::numeric_limits<double>::quiet_NaN()}}, {"[1][1] is nan", "finite"});
}

TEST(Populations, HaveThePrescribedWeightsMeansAndCovariances) {
  const auto options = two_populations(200'000);
  const auto network = build(options);
  ASSERT_EQ(network.population_names, (std::vector<std::string>{"first", "second"}));
  ASSERT_TRUE(network.has_bias());
  std::vector<std::vector<double>> values[2];  // [population][variable]
  for (auto& variables : values) variables.resize(4);
  std::vector<double> is_first;
  for (std::int64_t i = 0; i < network.neurons(); ++i) {
    const auto p = network.population[static_cast<std::size_t>(i)];
    is_first.push_back(p == 0 ? 1.0 : 0.0);
    values[p][0].push_back(network.m.at(i, 0));
    values[p][1].push_back(network.n.at(i, 0));
    values[p][2].push_back(network.input_weights.at(i, 0));
    values[p][3].push_back(network.bias.at(i, 0));
  }
  expect_near(estimate(is_first), 0.75, "share of the first population");
  for (std::size_t p = 0; p < 2; ++p) {
    const auto& prescribed = options.populations[p];
    const auto mean = [&](std::size_t v) { return v < prescribed.mean.size() ? prescribed.mean[v] : 0.0; };
    const auto covariance = [&](std::size_t v, std::size_t w) {
      return std::max(v, w) < prescribed.covariance.size() ? prescribed.covariance[v][w] : 0.0;
    };
    for (std::size_t v = 0; v < 4; ++v) {
      expect_near(estimate(values[p][v]), mean(v), "mean");
      for (std::size_t w = 0; w < 4; ++w)
        expect_near(product_mean(values[p][v], values[p][w]), covariance(v, w) + mean(v) * mean(w), "second moment");
    }
  }
}

TEST(Populations, NeuronsDependOnSeedAndNumberOnly) {
  const auto few = build(two_populations(10));
  const auto many = build(two_populations(100'000));
  const auto other = build(two_populations(10), 1, 8);
  const auto first = [](const NeuronArray<double>& array) { return column(array, {}, 0, 10); };
  EXPECT_EQ(first(few.m), first(many.m));
  EXPECT_EQ(first(few.n), first(many.n));
  EXPECT_EQ(first(few.input_weights), first(many.input_weights));
  EXPECT_EQ(first(few.bias), first(many.bias));
  EXPECT_TRUE(std::equal(few.population.begin(), few.population.begin() + 10, many.population.begin()));
  EXPECT_NE(first(few.m), first(other.m));
}

TEST(Populations, SinglePrecisionIsDoubleRounded) {
  const auto options = two_populations(1000);
  const auto wide = build(options);
  const auto narrow = build_network<float>(options, 1, 7, parallel::Communicator());
  for (std::int64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(narrow.n.at(i, 0), static_cast<float>(wide.n.at(i, 0)));
    EXPECT_EQ(narrow.bias.at(i, 0), static_cast<float>(wide.bias.at(i, 0)));
  }
}

TEST(Populations, PaddingIsZero) {
  const auto network = build(two_populations(10));
  for (std::int64_t i = 10; i < parallel::tile_size; ++i) {
    EXPECT_EQ(network.m.at(i, 0), 0.0);
    EXPECT_EQ(network.bias.at(i, 0), 0.0);
  }
}

TEST(Populations, AnotherInputChannelLeavesTheRestAlone) {
  auto options = two_populations(100);
  const auto one = build(options, 1);
  options.populations[0].covariance = {
      {1.0, 0.6, 0.0, 0.0}, {0.6, 2.0, 0.5, 0.0}, {0.0, 0.5, 1.0, 0.0}, {0.0, 0.0, 0.0, 1.0}};
  const auto two = build(options, 2);
  EXPECT_EQ(two.inputs, 2);
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_NEAR(one.m.at(i, 0), two.m.at(i, 0), 1e-14);
  EXPECT_NE(two.input_weights.at(0, 0), two.input_weights.at(0, 1));
}

TEST(Populations, WithoutBiasThereIsNoColumnForIt) {
  auto options = two_populations(100);
  EXPECT_TRUE(build(options).has_bias());
  options.populations.pop_back();
  const auto network = build(options);
  EXPECT_FALSE(network.has_bias());
  EXPECT_TRUE(network.population.empty());
}

TEST(Populations, RefuseWhatDoesNotFit) {
  const auto refuse = [](const NetworkOptions& options, int inputs, std::initializer_list<std::string_view> words) {
    expect_error<ConfigurationError>([&] { build(options, inputs); }, words);
  };
  auto options = two_populations(10);
  refuse(options, 0, {"network.populations.1.mean", "covers 4 variables", "0 input channel(s)", "has 3"});
  refuse(options, 3, {"input channel 2 would reach no neuron", "variable 4"});
  options.rank = 0;
  refuse(options, 1, {"network.rank", "at least 1"});
  options = two_populations(10);
  options.populations[0].covariance = {{1, 2}, {2, 1}};
  refuse(options, 1, {"network.populations.0.covariance", "positive semidefinite"});
  options = two_populations(10);
  options.populations.resize(257);
  refuse(options, 1, {"257 populations", "at most 256"});
}

}  // namespace
}  // namespace rankflow::model
