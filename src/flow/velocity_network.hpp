#pragma once
#include <cstdint>
#include <vector>

#include "config/flow_options.hpp"
#include "nn/parameters.hpp"

namespace rankflow::flow {

/// Shape of the network that stands for a velocity field v(x, condition, t): dense layers, x sigmoid(x) behind each but
/// the last. Inputs stand in the order x [V], condition [C], t, then cos(pi k t), sin(pi k t) for k = 1, 2, …
/// Parameters, in one flat vector: weights_0 [width, inputs], biases_0 [width], weights_1, …
class VelocityNetwork {
 public:
  /// Throws InternalError unless variables >= 1 and conditions >= 0.
  VelocityNetwork(const config::VelocityOptions& options, std::int64_t variables, std::int64_t conditions);

  std::int64_t variables() const noexcept { return variables_; }    ///< V
  std::int64_t conditions() const noexcept { return conditions_; }  ///< C
  std::int64_t time_frequencies() const noexcept { return options_.time_frequencies; }
  const config::VelocityOptions& options() const noexcept { return options_; }
  /// Numbers of a row that enters the first layer.
  std::int64_t inputs() const noexcept { return variables_ + conditions_ + 1 + 2 * time_frequencies(); }
  /// Dense layers, the last included.
  std::int64_t layers() const noexcept { return options_.hidden_layers + 1; }
  /// Numbers that enter layer `layer`, and that leave it.
  std::int64_t layer_inputs(std::int64_t layer) const noexcept { return layer == 0 ? inputs() : options_.hidden_width; }
  std::int64_t layer_outputs(std::int64_t layer) const noexcept {
    return layer + 1 == layers() ? variables_ : options_.hidden_width;
  }

  const nn::ParameterLayout& layout() const noexcept { return layout_; }
  nn::ParameterLayout::Id weights(std::int64_t layer) const noexcept { return static_cast<std::size_t>(2 * layer); }
  nn::ParameterLayout::Id biases(std::int64_t layer) const noexcept { return static_cast<std::size_t>(2 * layer + 1); }
  /// Weights and biases uniform within 1/sqrt(inputs of the layer), as PyTorch's Linear starts; a function of the seed.
  std::vector<double> initial_parameters(std::uint64_t seed) const;

 private:
  config::VelocityOptions options_;
  std::int64_t variables_;
  std::int64_t conditions_;
  nn::ParameterLayout layout_;
};

}  // namespace rankflow::flow
