#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "parallel/partition.hpp"

namespace rankflow::model {

/// Values of one variable for the neurons of one tile.
using TileColumn = std::span<double, static_cast<std::size_t>(parallel::tile_size)>;

/// Loadings of one tile of neurons on their way into a Network, in double precision. The variables of a
/// neuron stand in the order m (R), n (R), input weights (I), bias (1).
class LoadingTile {
 public:
  LoadingTile(int rank, int inputs)
      : rank_(rank), values_(static_cast<std::size_t>(2 * rank + inputs + 1) * column_size), inputs_(inputs) {}

  int variables() const noexcept { return 2 * rank_ + inputs_ + 1; }
  TileColumn variable(int v) noexcept {
    return TileColumn(values_.data() + static_cast<std::size_t>(v) * column_size, column_size);
  }
  TileColumn m(int r) noexcept { return variable(r); }
  TileColumn n(int r) noexcept { return variable(rank_ + r); }
  TileColumn input_weights(int channel) noexcept { return variable(2 * rank_ + channel); }
  TileColumn bias() noexcept { return variable(2 * rank_ + inputs_); }
  /// Population of each neuron.
  std::span<std::uint8_t, static_cast<std::size_t>(parallel::tile_size)> population() noexcept { return population_; }

 private:
  static constexpr auto column_size = static_cast<std::size_t>(parallel::tile_size);
  int rank_;
  std::vector<double> values_;
  int inputs_;
  std::array<std::uint8_t, column_size> population_{};
};

/// Draws the loadings of neurons. What neuron i gets depends on the source's seed and on i only: not on how
/// many neurons there are, nor on ranks.
class LoadingSource {
 public:
  virtual ~LoadingSource() = default;
  virtual int rank() const = 0;
  virtual int inputs() const = 0;
  /// False when every bias is 0.
  virtual bool has_bias() const = 0;
  /// More than one name when neurons belong to populations.
  virtual std::vector<std::string> population_names() const { return {}; }
  /// Fills a whole tile, beginning with neuron `first` (a multiple of the tile size).
  virtual void fill(std::int64_t first, LoadingTile& tile) const = 0;
};

}  // namespace rankflow::model
