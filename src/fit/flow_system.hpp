#pragma once
#include <cstdint>
#include <string>

#include "config/simulate_options.hpp"
#include "io/hdf5_file.hpp"
#include "model/network.hpp"

namespace rankflow::fit {

/// What all networks of one flow file share, and which variables a neuron has: m (R), b (I), d (1 or none), then n (R).
struct FlowSystem {
  int rank = 0;    ///< R
  int inputs = 0;  ///< I
  bool has_bias = false;
  model::Activation activation = model::Activation::tanh;
  double tau = 0.1;    ///< s
  double decay = 0.9;  ///< 1 - alpha between visited states
  config::InputPath input_path = config::InputPath::filtered;

  /// Numbers of (m, b, d).
  std::int64_t variables() const noexcept { return rank + inputs + (has_bias ? 1 : 0); }
  /// As attributes of the group /system of a flow file.
  io::Attributes attributes() const;
  /// Throws InputDataError for what is missing or not allowed.
  static FlowSystem read(const io::File& file);
};

}  // namespace rankflow::fit
