#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ad/aligned.hpp"
#include "flow/dense_layers.hpp"
#include "flow/packed_weights.hpp"

namespace rankflow::flow {

/// Evaluates a velocity network on a block of rows, and carries adjoints back. Owns the work space, so that passes do
/// not allocate. A row's numbers do not depend on the other rows. T is float or double.
template <class T>
class VelocityPass {
 public:
  /// Room for `capacity` rows; `with_gradient`: for backward() too.
  VelocityPass(const VelocityNetwork& network, std::int64_t capacity, bool with_gradient);

  std::int64_t capacity() const noexcept { return capacity_; }
  /// Where the network's inputs of a row are written before forward(): x, then the condition; time by set_time().
  T* input(std::int64_t row) noexcept { return inputs_.data() + row * input_stride_; }
  /// Writes t and its features.
  void set_time(std::int64_t row, double t) noexcept;

  /// Velocities of the first `rows` rows. Remembers what backward() needs if there is room for it.
  void forward(const PackedWeights<T>& weights, std::int64_t rows);
  /// Velocity [V] of a row, after forward().
  const T* output(std::int64_t row) const noexcept { return outputs_.data() + row * output_stride_; }

  /// Where the adjoint of a row's velocity [V] is written between forward() and backward().
  T* output_adjoint(std::int64_t row) noexcept { return output_adjoints_.data() + row * output_stride_; }
  /// Gradient of the flat parameters, summed over the first `rows` rows.
  void backward(const PackedWeights<T>& weights, std::int64_t rows, std::span<T> gradient);

 private:
  T* hidden(std::int64_t layer) noexcept { return hidden_.data() + slot(layer) * hidden_size_; }
  T* slopes(std::int64_t layer) noexcept { return with_gradient_ ? slopes_.data() + layer * hidden_size_ : nullptr; }
  /// Without gradient only the last two layers are kept.
  std::int64_t slot(std::int64_t layer) const noexcept { return with_gradient_ ? layer : layer % 2; }
  Rows<const T> layer_input(std::int64_t layer) noexcept;
  void layer_gradient(std::int64_t layer, std::int64_t rows, Rows<const T> adjoints, std::span<T> gradient);

  VelocityNetwork network_;
  std::int64_t capacity_;
  bool with_gradient_;
  std::int64_t input_stride_, hidden_stride_, output_stride_;
  std::int64_t hidden_size_;  ///< numbers of all rows of a hidden layer
  ad::AlignedVector<T> inputs_, hidden_, slopes_, outputs_, output_adjoints_;
  std::array<ad::AlignedVector<T>, 2> adjoints_;  ///< of a layer's sums, two layers in turn
  ad::AlignedVector<T> tiled_gradient_;           ///< of a layer whose shape does not fit tiles
};

}  // namespace rankflow::flow
