#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "ad/aligned.hpp"
#include "flow/dense_layers.hpp"
#include "flow/packed_weights.hpp"

namespace rankflow::flow {

/// Evaluates a velocity network together with derivatives along directions of x (forward-mode differentiation), on a
/// block of rows in double precision. A row's numbers do not depend on the other rows.
class TangentPass {
 public:
  /// Room for `rows` rows, with `directions` directions each.
  TangentPass(const VelocityNetwork& network, std::int64_t rows, std::int64_t directions);

  std::int64_t directions() const noexcept { return directions_; }
  /// Inputs of a row: x, then the condition, then time and its features.
  double* input(std::int64_t row) noexcept { return inputs_.data() + row * input_stride_; }
  void set_time(double t) noexcept;
  /// Direction [V] number `direction` of a row.
  double* direction(std::int64_t direction, std::int64_t row) noexcept {
    return input((direction + 1) * capacity_ + row);
  }

  /// All rows.
  void run(const PackedWeights<double>& weights);
  /// Velocity [V] of a row.
  const double* velocity(std::int64_t row) const noexcept { return outputs_.data() + row * output_stride_; }
  /// Derivative [V] of a row's velocity along one of its directions.
  const double* derivative(std::int64_t direction, std::int64_t row) const noexcept {
    return velocity((direction + 1) * capacity_ + row);
  }

 private:
  VelocityNetwork network_;
  std::int64_t capacity_, directions_;
  std::int64_t input_stride_, hidden_stride_, output_stride_;
  // Rows, then the rows of each direction.
  ad::AlignedVector<double> inputs_, outputs_, slopes_;
  std::array<ad::AlignedVector<double>, 2> hidden_;  ///< two layers in turn
};

}  // namespace rankflow::flow
