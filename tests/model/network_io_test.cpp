#include "model/network_io.hpp"

#include <cstring>
#include <functional>

#include "model/build_network.hpp"
#include "model_support.hpp"

namespace rankflow::model {
namespace {

using config::NetworkOptions;
using parallel::Communicator;

/// Two populations, input weights, bias and time constants of their own.
template <class T>
Network<T> complete_network() {
  NetworkOptions options;
  options.source = config::NetworkSource::populations;
  options.neurons = 700;
  options.rank = 1;
  options.populations.resize(2);
  options.populations[0] = {"calm", 1.0, {}, {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
  options.populations[1] = {"with, comma", 2.0, {1.0, 1.0}, {}};
  options.time_constants = config::TimeConstants::log_uniform;
  options.activation = Activation::softplus;
  options.leak = 0.75;
  options.decay = 0.9;
  return build_network<T>(options, 1, 2, Communicator());
}

template <class T>
void write(const Network<T>& network, const std::string& path) {
  const Communicator serial;
  auto file = io::File::create(serial, path);
  write_network(file, network);
  file.close();
}

template <class T>
Network<T> read(const std::string& path) {
  const Communicator serial;
  return read_network<T>(io::NetworkFile::open(serial, path));
}

template <class T>
bool same_bits(const NeuronArray<T>& a, const NeuronArray<T>& b) {
  if (a.size() == 0) return b.size() == 0;  // memcmp takes no null
  return a.columns() == b.columns() && a.size() == b.size() &&
         std::memcmp(a.values().data(), b.values().data(), a.size() * sizeof(T)) == 0;
}

template <class T>
void expect_same(const Network<T>& a, const Network<T>& b) {
  EXPECT_EQ(a.partition, b.partition);
  EXPECT_EQ(a.rank, b.rank);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.activation, b.activation);
  EXPECT_EQ(a.leak, b.leak);
  EXPECT_EQ(a.decay, b.decay);
  EXPECT_EQ(a.population_names, b.population_names);
  EXPECT_EQ(a.population, b.population);
  EXPECT_TRUE(same_bits(a.m, b.m));
  EXPECT_TRUE(same_bits(a.n, b.n));
  EXPECT_TRUE(same_bits(a.input_weights, b.input_weights));
  EXPECT_TRUE(same_bits(a.bias, b.bias));
  EXPECT_TRUE(same_bits(a.tau, b.tau));
}

TEST(NetworkIo, RoundTripKeepsEveryBit) {
  const TemporaryFile file("round_trip.h5");
  auto wide = complete_network<double>();
  write(wide, file.path());
  expect_same(wide, read<double>(file.path()));
  const auto narrow = complete_network<float>();
  const TemporaryFile narrow_file("round_trip_float.h5");
  write(narrow, narrow_file.path());
  expect_same(narrow, read<float>(narrow_file.path()));
  wide.m.at(3, 0) = std::nextafter(wide.m.at(3, 0), 10.0);
  EXPECT_FALSE(same_bits(wide.m, read<double>(file.path()).m)) << "control";
}

TEST(NetworkIo, SharedTimeConstantAndMissingArraysRoundTrip) {
  const TemporaryFile file("plain.h5");
  NetworkOptions options;
  options.neurons = 10;
  options.tau = 0.025;
  const auto network = build_network<double>(options, 0, 2, Communicator());
  write(network, file.path());
  const auto again = read<double>(file.path());
  expect_same(network, again);
  EXPECT_EQ(again.shared_tau, 0.025);
  EXPECT_FALSE(again.has_own_tau());
  EXPECT_FALSE(again.has_bias());
}

TEST(NetworkIo, SinglePrecisionReadsDoublesRounded) {
  const TemporaryFile file("precision.h5");
  const auto wide = complete_network<double>();
  write(wide, file.path());
  const auto narrow = read<float>(file.path());
  for (std::int64_t i = 0; i < wide.neurons(); ++i) EXPECT_EQ(narrow.m.at(i, 0), static_cast<float>(wide.m.at(i, 0)));
}

TEST(NetworkIo, SourceFileTakesTheFileAndWhatIsSaidBesides) {
  const TemporaryFile file("source.h5");
  const auto network = complete_network<double>();
  write(network, file.path());
  NetworkOptions options;
  options.source = config::NetworkSource::file;
  options.file = file.path();
  expect_same(network, build_network<double>(options, 1, 99, Communicator()));
  options.activation = Activation::relu;
  options.tau = 0.5;
  options.leak = 1.0;
  const auto changed = build_network<double>(options, 0, 99, Communicator());
  EXPECT_EQ(changed.activation, Activation::relu);
  EXPECT_EQ(changed.leak, 1.0);
  EXPECT_EQ(changed.decay, 0.9);
  EXPECT_FALSE(changed.has_own_tau());
  EXPECT_EQ(changed.shared_tau, 0.5);
}

TEST(NetworkIo, SourceFileRefusesAnotherSize) {
  const TemporaryFile file("size.h5");
  write(complete_network<double>(), file.path());
  NetworkOptions options;
  options.source = config::NetworkSource::file;
  options.file = file.path();
  const auto refuse = [&](int inputs, std::initializer_list<std::string_view> words) {
    expect_error<ConfigurationError>([&] { build_network<double>(options, inputs, 1, Communicator()); }, words);
  };
  options.neurons = 300;
  refuse(0, {"network.neurons = 300", file.path(), "700 neurons", "leave network.neurons out"});
  options.neurons = 700;
  options.rank = 2;
  refuse(0, {"network.rank = 2", file.path(), "rank 1"});
  options.rank = 1;
  refuse(2, {"drive 2 channel(s)", "input weights for 1"});
  EXPECT_NO_THROW(build_network<double>(options, 1, 1, Communicator()));
}

TEST(NetworkIo, RefusesUnusableContent) {
  const auto refuse = [](const std::function<void(io::File&, Network<double>&)>& spoil,
                         std::initializer_list<std::string_view> words) {
    const TemporaryFile path("spoilt.h5");
    auto network = complete_network<double>();
    const Communicator serial;
    auto file = io::File::create(serial, path.path());
    spoil(file, network);
    if (!file.has_group("/network")) write_network(file, network);
    file.close();
    expect_error<InputDataError>([&] { read<double>(path.path()); }, words);
  };
  const auto attribute = [](const std::string& name, const io::Attribute& value) {
    return [name, value](io::File& file, Network<double>& network) {
      write_network(file, network);
      file.set_attribute("/network", name, value);
    };
  };
  refuse(attribute("activation", "tahn"), {"'activation'", "'tahn'", "spoilt.h5", "softplus", "Did you mean 'tanh'"});
  refuse(attribute("activation", 3.0), {"'activation'", "not text"});
  refuse(attribute("tau", 0.0), {"'tau'", "is 0", "above 0"});
  refuse(attribute("leak", -1.0), {"'leak'", "is -1", "at least 0"});
  refuse(attribute("decay", 1.5), {"'decay'", "is 1.5", "at most 1"});
  refuse(attribute("decay", "slow"), {"'decay'", "not a number"});
  refuse(attribute("population_names", "calm"), {"/network/population", "of population 1", "has 1 name(s)"});
  refuse([](io::File&, Network<double>& network) { network.tau.at(600, 0) = -0.5; },
         {"/network/tau", "neuron 600", "-0.5", "above 0"});
  refuse([](io::File&, Network<double>& network) { network.n.at(650, 0) = NAN; }, {"/network/n", "neuron 650", "NaN"});
}

}  // namespace
}  // namespace rankflow::model
