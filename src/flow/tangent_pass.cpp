#include "flow/tangent_pass.hpp"

#include <algorithm>

#include "flow/dense_kernel.hpp"
#include "flow/time_features.hpp"

namespace rankflow::flow {

TangentPass::TangentPass(const VelocityNetwork& network, std::int64_t rows, std::int64_t directions)
    : network_(network),
      capacity_(padded(rows, tile_rows)),
      directions_(directions),
      input_stride_(padded(network.inputs(), column_padding)),
      hidden_stride_(padded(network.options().hidden_width, column_padding)),
      output_stride_(padded(network.variables(), column_padding)) {
  const std::int64_t all = (1 + directions) * capacity_;
  inputs_.assign(static_cast<std::size_t>(all * input_stride_), 0.0);
  outputs_.assign(static_cast<std::size_t>(all * output_stride_), 0.0);
  slopes_.assign(static_cast<std::size_t>(capacity_ * hidden_stride_), 0.0);
  for (auto& layer : hidden_) layer.assign(static_cast<std::size_t>(all * hidden_stride_), 0.0);
}

void TangentPass::set_time(double t) noexcept {
  const std::int64_t place = network_.variables() + network_.conditions();
  write_time(t, network_.time_frequencies(), input(0) + place);
  for (std::int64_t row = 1; row < capacity_; ++row)
    std::copy_n(input(0) + place, network_.inputs() - place, input(row) + place);
}

void TangentPass::run(const PackedWeights<double>& weights) {
  const std::int64_t last = network_.layers() - 1;
  const std::int64_t tangents = directions_ * capacity_;
  Rows<const double> x{inputs_.data(), input_stride_};
  const auto tangent_rows = [&](const Rows<const double>& rows) {
    return Rows<const double>{rows.first + capacity_ * rows.stride, rows.stride};
  };
  for (std::int64_t layer = 0; layer < last; ++layer) {
    double* const y = hidden_[static_cast<std::size_t>(layer % 2)].data();
    const std::int64_t inner = network_.layer_inputs(layer);
    affine_silu<double>({capacity_, inner, hidden_stride_}, x, weights.forward(layer), weights.biases(layer),
                        {y, hidden_stride_}, slopes_.data());
    scaled_product<double>({tangents, inner, hidden_stride_}, tangent_rows(x), weights.forward(layer), slopes_.data(),
                           capacity_, {y + capacity_ * hidden_stride_, hidden_stride_});
    x = {y, hidden_stride_};
  }
  const std::int64_t inner = network_.layer_inputs(last);
  affine<double>({capacity_, inner, output_stride_}, x, weights.forward(last), weights.biases(last),
                 {outputs_.data(), output_stride_});
  affine<double>({tangents, inner, output_stride_}, tangent_rows(x), weights.forward(last), nullptr,
                 {outputs_.data() + capacity_ * output_stride_, output_stride_});
}

}  // namespace rankflow::flow
