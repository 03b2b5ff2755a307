#pragma once
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include <Eigen/Core>

#include "parallel/partition.hpp"

namespace rankflow::connectivity {

/// Numbers in rows of one tile's neurons, 64-byte aligned: [rows][tile_size].
class TileRows {
 public:
  explicit TileRows(std::int64_t rows)
      : memory_(static_cast<double*>(
            std::aligned_alloc(64, static_cast<std::size_t>(rows * parallel::tile_size) * sizeof(double)))) {
    if (memory_ == nullptr && rows > 0) throw std::bad_alloc();
  }
  double* data() noexcept { return memory_.get(); }
  double* row(std::int64_t row) noexcept { return memory_.get() + row * parallel::tile_size; }
  /// The first `rows` rows as a matrix [tile_size, rows].
  Eigen::Map<Eigen::MatrixXd, Eigen::Aligned64> matrix(std::int64_t rows) {
    return {memory_.get(), parallel::tile_size, rows};
  }

 private:
  struct Free {
    void operator()(double* memory) const noexcept { std::free(memory); }
  };
  std::unique_ptr<double[], Free> memory_;
};

/// n[r][lane] += sum_s features[s][lane] weights(s, r) for columns of one tile, each tile_size long. Sums run over s in
/// ascending order.
void add_weighted_features(const double* features, const Eigen::Ref<const Eigen::MatrixXd>& weights, double* n);
/// sums(s, r) = sum over the tile's lanes of features[s][lane] n[r][lane].
void sum_over_lanes(const double* features, const double* n, Eigen::Ref<Eigen::MatrixXd> sums);

}  // namespace rankflow::connectivity
