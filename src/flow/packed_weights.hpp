#pragma once
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
  void load_layer(std::span<const T> weights, std::int64_t outputs, std::int64_t inputs, Layer& layer) const;

  VelocityNetwork network_;
  bool with_transposed_;
  std::vector<Layer> layers_;
};

}  // namespace rankflow::flow
