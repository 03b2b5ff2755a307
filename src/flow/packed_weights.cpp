#include "flow/packed_weights.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "flow/dense_kernel.hpp"

namespace rankflow::flow {
namespace {

constexpr std::size_t square_side = 16;
/// A row of a square; compilers turn shuffles of it into instructions.
struct SquareRow {
  using Lanes = float __attribute__((vector_size(64)));
  Lanes lanes;
};

/// A square of numbers, its rows `from_stride` apart, transposed: four perfect shuffles of its rows.
void transpose_square(const float* from, std::int64_t from_stride, float* to, std::int64_t to_stride) {
  std::array<SquareRow, square_side> rows;
  for (std::size_t i = 0; i < square_side; ++i)
    std::memcpy(&rows[i], from + static_cast<std::int64_t>(i) * from_stride, sizeof(SquareRow));
  for (int round = 0; round < 4; ++round) {
    std::array<SquareRow, square_side> shuffled;
    for (std::size_t i = 0; i < square_side / 2; ++i) {
      const auto a = rows[i].lanes;
      const auto b = rows[i + square_side / 2].lanes;
      shuffled[2 * i].lanes = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      shuffled[2 * i + 1].lanes =
          __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    rows = shuffled;
  }
  for (std::size_t i = 0; i < square_side; ++i)
    std::memcpy(to + static_cast<std::int64_t>(i) * to_stride, &rows[i], sizeof(SquareRow));
}

/// to[k, c] = from[c, k] for k < inner, c < columns <= square_side.
template <class T>
void transpose_strip(const T* from, std::int64_t columns, std::int64_t inner, T* to, std::int64_t to_stride) {
  constexpr auto side = static_cast<std::int64_t>(square_side);
  if constexpr (std::is_same_v<T, float>) {
    if (columns == side && inner % side == 0) {
      for (std::int64_t k = 0; k < inner; k += side) transpose_square(from + k, inner, to + k * to_stride, to_stride);
      return;
    }
  }
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t k = 0; k < inner; ++k) to[k * to_stride + c] = from[c * inner + k];
}

/// The panel of a column: where it begins, and its width.
struct PanelColumns {
  std::int64_t first;
  std::int64_t width;
};
template <class T>
PanelColumns panel_of(std::int64_t column, std::int64_t columns) {
  constexpr std::int64_t whole = tile_vectors * lane_count<T>;
  const std::int64_t first = column / whole * whole;
  return {first, std::min(whole, padded(columns, column_padding) - first)};
}

std::size_t area(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * padded(columns, column_padding));
}

}  // namespace

template <class T>
PackedWeights<T>::PackedWeights(const VelocityNetwork& network, bool with_transposed)
    : network_(network), with_transposed_(with_transposed) {
  for (std::int64_t layer = 0; layer < network.layers(); ++layer) {
    const std::int64_t inputs = network.layer_inputs(layer);
    const std::int64_t outputs = network.layer_outputs(layer);
    auto& packed = layers_.emplace_back();
    packed.forward.assign(area(inputs, outputs), T(0));
    packed.biases.assign(area(1, outputs), T(0));
    if (with_transposed) packed.backward.assign(area(outputs, inputs), T(0));
  }
}

template <class T>
void PackedWeights<T>::load_strip(const T* weights, std::int64_t unit, std::int64_t layer) {
  const std::int64_t outputs = network_.layer_outputs(layer);
  const std::int64_t inputs = network_.layer_inputs(layer);
  const std::int64_t units = std::min(strip, outputs - unit);
  auto& packed = layers_[static_cast<std::size_t>(layer)];
  const auto panel = panel_of<T>(unit, outputs);
  transpose_strip(weights, units, inputs, packed.forward.data() + panel.first * inputs + unit - panel.first,
                  panel.width);
  if (!with_transposed_) return;
  for (std::int64_t first = 0; first < inputs; first += panel_of<T>(first, inputs).width) {
    const std::int64_t width = panel_of<T>(first, inputs).width;
    T* const to = packed.backward.data() + first * outputs + unit * width;
    for (std::int64_t u = 0; u < units; ++u)
      std::copy_n(weights + u * inputs + first, std::min(width, inputs - first), to + u * width);
  }
}

template <class T>
void PackedWeights<T>::load_biases(std::span<const T> parameters, std::int64_t layer) {
  std::ranges::copy(network_.layout().part(parameters, network_.biases(layer)),
                    layers_[static_cast<std::size_t>(layer)].biases.begin());
}

template <class T>
void PackedWeights<T>::load(std::span<const T> parameters) {
  load(parameters, [](std::int64_t, std::int64_t) {});
}

template class PackedWeights<float>;
template class PackedWeights<double>;

}  // namespace rankflow::flow
