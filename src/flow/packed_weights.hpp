#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "ad/aligned.hpp"
#include "flow/velocity_network.hpp"

namespace rankflow::flow {

/// Weights of a velocity network in the order in which products read them. T is float or double.
template <class T>
class PackedWeights {
 public:
  /// `with_transposed`: also what backward passes need.
  PackedWeights(const VelocityNetwork& network, bool with_transposed);

  /// Takes the numbers of a flat vector of parameters.
  void load(std::span<const T> parameters);
  /// The same; before any of the parameters [begin, end) is read prepare(begin, end) is called, for ranges that are
  /// short against the caches and together are all parameters.
  template <class Prepare>
  void load(std::span<const T> parameters, const Prepare& prepare);

  /// W^T [inputs, padded outputs] of a layer in panels of columns: that from column c on begins at c times inputs and
  /// holds the rows of its columns one after the other.
  const T* forward(std::int64_t layer) const noexcept { return at(layer).forward.data(); }
  /// W [outputs, padded inputs], likewise.
  const T* backward(std::int64_t layer) const noexcept { return at(layer).backward.data(); }
  /// [padded outputs]
  const T* biases(std::int64_t layer) const noexcept { return at(layer).biases.data(); }
  const VelocityNetwork& network() const noexcept { return network_; }

 private:
  struct Layer {
    ad::AlignedVector<T> forward, backward, biases;
  };
  const Layer& at(std::int64_t layer) const noexcept { return layers_[static_cast<std::size_t>(layer)]; }
  /// Units that are loaded together.
  static constexpr std::int64_t strip = 16;
  void load_strip(const T* weights, std::int64_t unit, std::int64_t layer);
  void load_biases(std::span<const T> parameters, std::int64_t layer);

  VelocityNetwork network_;
  bool with_transposed_;
  std::vector<Layer> layers_;
};

template <class T>
template <class Prepare>
void PackedWeights<T>::load(std::span<const T> parameters, const Prepare& prepare) {
  const auto& layout = network_.layout();
  for (std::int64_t layer = 0; layer < network_.layers(); ++layer) {
    const std::int64_t outputs = network_.layer_outputs(layer);
    const std::int64_t inputs = network_.layer_inputs(layer);
    const std::int64_t weights = layout.offset(network_.weights(layer));
    for (std::int64_t unit = 0; unit < outputs; unit += strip) {
      const std::int64_t begin = weights + unit * inputs;
      prepare(begin, weights + std::min(unit + strip, outputs) * inputs);
      load_strip(parameters.data() + begin, unit, layer);
    }
    const std::int64_t biases = layout.offset(network_.biases(layer));
    prepare(biases, biases + outputs);
    load_biases(parameters, layer);
  }
}

}  // namespace rankflow::flow
