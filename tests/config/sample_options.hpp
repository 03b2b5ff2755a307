#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.hpp"
#include "core/error.hpp"

/// Options with one key of every sort, as a driver would declare them.
namespace rankflow::config::sample {

enum class Method { euler, bdf };
enum class Kind { pulse, step };

struct Time {
  double step = 0.001;
  std::optional<double> save_every;
  std::int64_t trials = 1;
  Method method = Method::euler;

  template <class V>
  void describe(V& v) {
    v.real("step", step, {.doc = "time step", .unit = "s", .above = 0.0, .maximum = 1.0});
    v.real("save_every", save_every, {.doc = "interval | saved", .unit = "s", .above = 0.0});
    v.integer("trials", trials, {.doc = "number of trials", .minimum = 1, .maximum = 100});
    v.choice("method", method, {{"euler", Method::euler, "explicit Euler"}, {"bdf", Method::bdf, "stiff"}},
             {.doc = "integrator"});
  }
  void validate(const Checker& check) const {
    if (save_every && *save_every < step)
      check.fail("save_every", "must be at least time.step ({}), found {}", step, *save_every);
    if (trials > 50 && !check.given("save_every")) check.fail("save_every", "is needed for over 50 trials");
  }
};

struct Envelope {
  double rise = 0.25;
  template <class V>
  void describe(V& v) {
    v.real("rise", rise, {.doc = "rise time", .minimum = 0.0, .below = 2.0});
  }
};

struct Input {
  Kind kind = Kind::pulse;
  double amplitude = 1.0;
  std::vector<std::int64_t> channels = {0};
  Envelope envelope;
  template <class V>
  void describe(V& v) {
    v.choice("kind", kind, {{"pulse", Kind::pulse}, {"step", Kind::step}});
    v.real("amplitude", amplitude, {.doc = "height"});
    v.integers("channels", channels, {.doc = "channels", .minimum = 0});
    v.table("envelope", envelope, "shape of the flanks");
  }
  void validate(const Checker& check) const {
    if (amplitude < -10.0) check.fail("amplitude", "is too deep: {}", amplitude);
  }
};

struct Bulk {
  double gain = 1.5;
  std::optional<std::int64_t> in_degree;
  template <class V>
  void describe(V& v) {
    v.real("gain", gain, {.doc = "g"});
    v.integer("in_degree", in_degree, {.doc = "inputs per neuron"});
  }
};

struct Network {
  std::int64_t neurons = 1000;
  std::string label = "net";
  std::optional<std::string> note;
  std::string file;
  std::optional<Method> solver;
  bool dale = false;
  std::vector<double> mean = {0.5, 0.1};
  std::vector<std::vector<double>> covariance;
  ArraySource m;
  std::optional<Bulk> bulk;

  template <class V>
  void describe(V& v) {
    v.integer("neurons", neurons, {.doc = "number of neurons", .minimum = 1});
    v.text("label", label, {.doc = "name"});
    v.text("note", note, {.doc = "remark"});
    v.path("file", file, {.doc = "network file"});
    v.choice("solver", solver, {{"euler", Method::euler}, {"bdf", Method::bdf}}, {.doc = "solver"});
    v.flag("dale", dale, {.doc = "sign constraint"});
    v.reals("mean", mean, {.doc = "mean", .length = 2});
    v.matrix("covariance", covariance, {.doc = "covariance"});
    v.array("m", m, {.doc = "left vectors", .maximum = 100.0});
    v.optional_table("bulk", bulk, "random bulk");
  }
};

struct Root {
  Network network;
  Time time;
  std::vector<Input> inputs;
  template <class V>
  void describe(V& v) {
    v.table("network", network, "what the network is");
    v.table("time", time, "steps");
    v.tables("inputs", inputs, "one entry per input");
  }
};

inline Loaded<Root> read(const std::string& toml, const std::vector<std::string>& sets = {},
                         const std::string& name = "net.toml") {
  return load_text<Root>(toml, name, sets);
}

/// The message of the ConfigurationError that reading causes; a failed expectation when there is none.
template <class Options = Root>
std::string complaint(const std::string& toml, const std::vector<std::string>& sets = {}) {
  try {
    load_text<Options>(toml, "net.toml", sets);
  } catch (const ConfigurationError& error) {
    EXPECT_EQ(error.code(), ExitCode::configuration);
    return error.what();
  }
  ADD_FAILURE() << "no ConfigurationError for\n" << toml;
  return {};
}

/// Matches text that holds all the parts.
template <class... Parts>
auto mentions(const Parts&... parts) {
  return testing::AllOf(testing::HasSubstr(parts)...);
}

}  // namespace rankflow::config::sample
