#include "model/build_network.hpp"

#include <functional>

#include "io/hdf5_file.hpp"
#include "model_support.hpp"

namespace rankflow::model {
namespace {

using config::ArraySource;
using config::NetworkOptions;
using parallel::Communicator;

Network<double> build(const NetworkOptions& options, int inputs = 0) {
  return build_network<double>(options, inputs, 1, Communicator());
}

ArraySource inline_array(std::vector<std::int64_t> shape, std::vector<double> values) {
  ArraySource source;
  source.given = true;
  source.shape = std::move(shape);
  source.values = std::move(values);
  return source;
}

ArraySource in_file(const std::string& path, const std::string& member) {
  ArraySource source;
  source.given = true;
  source.path = path;
  source.member = member;
  return source;
}

/// A file of another program: m [neuron, rank], n [rank, neuron], …, value = 1000 neuron + column.
class ForeignFile {
 public:
  ForeignFile() : file_("foreign.h5"), open_(io::File::create(serial_, file_.path())) {
    add("/m", {3, 2}, {0, 1, 1000, 1001, 2000, 2001});
    add("/n", {2, 3}, {0, 1000, 2000, 1, 1001, 2001});
    add("/bias", {3}, {5, 6, 7});
    add("/tau", {3}, {0.1, 0.2, 0.4});
    add("/bad_tau", {3}, {0.1, 0.0, 0.4});
    add("/short", {2}, {1, 2});
    add("/b", {3, 2}, {1, 2, 3, 4, 5, 6});
    add("/holed", {3, 2}, {0, 1, 2, NAN, 4, 5});
    add("/cube", {1, 1, 1}, {1});
    open_.close();
  }
  NetworkOptions options() const {
    NetworkOptions result;
    result.source = config::NetworkSource::arrays;
    result.arrays.m = array("/m");
    result.arrays.n = array("/n");
    result.arrays.n.transpose = true;
    return result;
  }
  ArraySource array(const std::string& member) const { return in_file(file_.path(), member); }

 private:
  void add(const std::string& path, const io::Shape& shape, const std::vector<double>& values) {
    std::vector<std::string> dimensions;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      dimensions.push_back(path.substr(1) + "_axis_" + std::to_string(axis));
    open_.create_dataset({.path = path, .shape = shape, .dimensions = dimensions});
    open_.write_all(path, std::span<const double>(values));
  }

  Communicator serial_;
  TemporaryFile file_;
  io::File open_;
};

TEST(BuildNetwork, DefaultsAreThoseDocumented) {
  const auto network = build({});
  EXPECT_EQ(network.neurons(), 1000);
  EXPECT_EQ(network.rank, 2);
  EXPECT_EQ(network.activation, Activation::tanh);
  EXPECT_EQ(network.shared_tau, 0.1);
  EXPECT_EQ(network.leak, 1.0);
  EXPECT_FALSE(network.decay.has_value());
  EXPECT_FALSE(network.has_bias());
}

TEST(BuildNetwork, TimeConstantsAreLogUniform) {
  NetworkOptions options;
  options.neurons = 100'000;
  options.time_constants = config::TimeConstants::log_uniform;
  options.tau_minimum = 1e-4;
  options.tau_maximum = 1.0;
  const auto network = build(options);
  std::vector<double> place;
  for (const double tau : column(network.tau, network.partition, 0)) {
    ASSERT_GE(tau, 1e-4);
    ASSERT_LE(tau, 1.0);
    place.push_back(std::log(tau / 1e-4) / std::log(1e4));
  }
  expect_near(estimate(place), 0.5, "mean of the logarithm");
  expect_near(product_mean(place, place), 1.0 / 3, "mean square of the logarithm");
  options.neurons = 10;
  const auto few = build(options);
  EXPECT_EQ(column(few.tau, few.partition, 0), column(network.tau, network.partition, 0, 10));
  EXPECT_NE(few.tau.at(0, 0), build_network<double>(options, 0, 2, Communicator()).tau.at(0, 0)) << "control";
}

TEST(BuildNetwork, ArraysOfAnyFileWithTransposeAndScale) {
  const ForeignFile file;
  auto options = file.options();
  options.arrays.n.scale = 0.5;
  options.arrays.bias = file.array("/bias");
  options.arrays.tau = file.array("/tau");
  options.arrays.input_weights = file.array("/b");
  const auto network = build(options, 2);
  EXPECT_EQ(network.neurons(), 3);
  EXPECT_EQ(network.rank, 2);
  EXPECT_EQ(network.inputs, 2);
  for (std::int64_t i = 0; i < 3; ++i) {
    for (int r = 0; r < 2; ++r) {
      EXPECT_EQ(network.m.at(i, r), 1000.0 * static_cast<double>(i) + r);
      EXPECT_EQ(network.n.at(i, r), 0.5 * (1000.0 * static_cast<double>(i) + r));
    }
    EXPECT_EQ(network.bias.at(i, 0), 5.0 + static_cast<double>(i));
    EXPECT_EQ(network.input_weights.at(i, 1), 2.0 + 2.0 * static_cast<double>(i));
  }
  EXPECT_EQ(network.tau.at(2, 0), 0.4);
}

TEST(BuildNetwork, InlineArrays) {
  NetworkOptions options;
  options.source = config::NetworkSource::arrays;
  options.arrays.m = inline_array({2}, {1, 2});
  options.arrays.n = inline_array({1, 2}, {3, 4});
  options.arrays.n.transpose = true;
  options.arrays.n.scale = 10;
  const auto network = build(options);
  EXPECT_EQ(network.rank, 1);
  EXPECT_EQ(column(network.m, network.partition, 0), (std::vector<double>{1, 2}));
  EXPECT_EQ(column(network.n, network.partition, 0), (std::vector<double>{30, 40}));
}

TEST(BuildNetwork, ArraysThatDisagreeAreRefused) {
  const ForeignFile file;
  const auto refuse = [&](const std::function<void(NetworkOptions&)>& change, int inputs,
                          std::initializer_list<std::string_view> words) {
    auto options = file.options();
    change(options);
    expect_error<ConfigurationError>([&] { build(options, inputs); }, words);
  };
  refuse([](NetworkOptions& o) { o.arrays.n.transpose = false; }, 0,
         {"network.arrays.n", "[2, 3]", "2 neurons", "network.arrays.m", "[3, 2]", "set network.arrays.n.transpose"});
  refuse([&](NetworkOptions& o) { o.arrays.n = file.array("/bias"); }, 0,
         {"network.arrays.n", "[3]", "rank 1", "network.arrays.m", "rank 2"});
  refuse([&](NetworkOptions& o) { o.arrays.bias = file.array("/short"); }, 0,
         {"network.arrays.bias", "2 neurons", "3 neurons"});
  refuse([&](NetworkOptions& o) { o.arrays.bias = file.array("/b"); }, 0,
         {"network.arrays.bias", "[3, 2]", "expected [neuron]"});
  refuse([&](NetworkOptions& o) { o.arrays.m = file.array("/cube"); }, 0,
         {"network.arrays.m", "[1, 1, 1]", "expected [neuron, column]"});
  refuse([](NetworkOptions& o) { o.neurons = 4; }, 0, {"network.neurons = 4", "network.arrays.m", "3 neurons"});
  refuse([](NetworkOptions& o) { o.rank = 1; }, 0, {"network.rank = 1", "network.arrays.m", "rank 2"});
  refuse([](NetworkOptions&) {}, 1, {"drive 1 channel(s)", "input weights for 0"});
  const auto with_tau = [&](NetworkOptions& o) { o.arrays.tau = file.array("/tau"); };
  refuse([&](NetworkOptions& o) { with_tau(o), o.tau = 0.3; }, 0, {"network.tau = 0.3", "network.arrays.tau"});
  refuse([&](NetworkOptions& o) { with_tau(o), o.time_constants = config::TimeConstants::log_uniform; }, 0,
         {"log_uniform", "network.arrays.tau"});
}

TEST(BuildNetwork, ArraysWithUnusableValuesAreRefused) {
  const ForeignFile file;
  const auto refuse = [&](const std::function<void(NetworkOptions&)>& change,
                          std::initializer_list<std::string_view> words) {
    auto options = file.options();
    change(options);
    expect_error<InputDataError>([&] { build(options); }, words);
  };
  refuse([&](NetworkOptions& o) { o.arrays.m = file.array("/holed"); }, {"holed", "NaN", "neuron 1, column 1"});
  refuse([&](NetworkOptions& o) { o.arrays.m = file.array("/absent"); }, {"absent", "foreign.h5"});
  refuse([&](NetworkOptions& o) { o.arrays.tau = file.array("/bad_tau"); },
         {"network.arrays.tau", "neuron 1", "0 s", "above 0"});
  refuse(
      [&](NetworkOptions& o) {
        o.arrays.m = inline_array({3, 2}, {1, 2, 3, INFINITY, 5, 6});
      },
      {"network.arrays.m", "[1, 1]", "inf"});
}

}  // namespace
}  // namespace rankflow::model
