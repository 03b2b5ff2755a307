#include "flow/velocity_pass.hpp"

#include <algorithm>

#include "flow/dense_kernel.hpp"
#include "flow/time_features.hpp"

namespace rankflow::flow {
namespace {

std::size_t pass_size(std::int64_t numbers) {
  return static_cast<std::size_t>(numbers);
}

}  // namespace

template <class T>
VelocityPass<T>::VelocityPass(const VelocityNetwork& network, std::int64_t capacity, bool with_gradient)
    : network_(network),
      capacity_(padded(capacity, tile_rows)),
      with_gradient_(with_gradient),
      input_stride_(padded(network.inputs(), column_padding)),
      hidden_stride_(padded(network.options().hidden_width, column_padding)),
      output_stride_(padded(network.variables(), column_padding)),
      hidden_size_(capacity_ * hidden_stride_) {
  const std::int64_t hidden_layers = network.layers() - 1;
  inputs_.assign(pass_size(capacity_ * input_stride_), T(0));
  outputs_.assign(pass_size(capacity_ * output_stride_), T(0));
  hidden_.assign(pass_size((with_gradient ? hidden_layers : 2) * hidden_size_), T(0));
  if (!with_gradient) return;
  slopes_.assign(pass_size(hidden_layers * hidden_size_), T(0));
  output_adjoints_.assign(pass_size(capacity_ * output_stride_), T(0));
  for (auto& adjoints : adjoints_) adjoints.assign(pass_size(hidden_size_), T(0));
  const std::int64_t largest_inputs = std::max(input_stride_, hidden_stride_);
  tiled_gradient_.assign(pass_size(std::max(hidden_stride_, output_stride_) * largest_inputs), T(0));
}

template <class T>
void VelocityPass<T>::set_time(std::int64_t row, double t) noexcept {
  write_time(t, network_.time_frequencies(), input(row) + network_.variables() + network_.conditions());
}

template <class T>
Rows<const T> VelocityPass<T>::layer_input(std::int64_t layer) noexcept {
  if (layer == 0) return {inputs_.data(), input_stride_};
  return {hidden(layer - 1), hidden_stride_};
}

template <class T>
void VelocityPass<T>::forward(const PackedWeights<T>& weights, std::int64_t rows) {
  const std::int64_t last = network_.layers() - 1;
  for (std::int64_t layer = 0; layer < last; ++layer)
    affine_silu<T>({rows, network_.layer_inputs(layer), hidden_stride_}, layer_input(layer), weights.forward(layer),
                   weights.biases(layer), {hidden(layer), hidden_stride_}, slopes(layer));
  affine<T>({rows, network_.layer_inputs(last), output_stride_}, layer_input(last), weights.forward(last),
            weights.biases(last), {outputs_.data(), output_stride_});
}

template <class T>
void VelocityPass<T>::layer_gradient(std::int64_t layer, std::int64_t rows, Rows<const T> adjoints,
                                     std::span<T> gradient) {
  const auto& layout = network_.layout();
  const std::int64_t units = network_.layer_outputs(layer);
  const std::int64_t inputs = network_.layer_inputs(layer);
  const auto x = layer_input(layer);
  const auto weights = layout.part(gradient, network_.weights(layer));
  if (inputs == x.stride && units % tile_rows == 0) {
    weight_gradient<T>(rows, adjoints, units, x, x.stride, {weights.data(), inputs});
  } else {
    weight_gradient<T>(rows, adjoints, padded(units, tile_rows), x, x.stride, {tiled_gradient_.data(), x.stride});
    for (std::int64_t unit = 0; unit < units; ++unit)
      std::copy_n(tiled_gradient_.data() + unit * x.stride, inputs, weights.data() + unit * inputs);
  }
  const auto biases = layout.part(gradient, network_.biases(layer));
  std::ranges::fill(biases, T(0));
  for (std::int64_t row = 0; row < rows; ++row) {
    const T* const adjoint = adjoints.first + row * adjoints.stride;
    for (std::size_t unit = 0; unit < biases.size(); ++unit) biases[unit] += adjoint[unit];
  }
}

template <class T>
void VelocityPass<T>::backward(const PackedWeights<T>& weights, std::int64_t rows, std::span<T> gradient) {
  Rows<const T> adjoints{output_adjoints_.data(), output_stride_};
  for (std::int64_t layer = network_.layers() - 1;; --layer) {
    layer_gradient(layer, rows, adjoints, gradient);
    if (layer == 0) return;
    T* const before = adjoints_[static_cast<std::size_t>(layer % 2)].data();
    scaled_product<T>({rows, network_.layer_outputs(layer), hidden_stride_}, adjoints, weights.backward(layer),
                      slopes(layer - 1), capacity_, {before, hidden_stride_});
    adjoints = {before, hidden_stride_};
  }
}

template class VelocityPass<float>;
template class VelocityPass<double>;

}  // namespace rankflow::flow
