#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/mixture_model.hpp"
#include "analysis/mixture_rows.hpp"
#include "parallel/partition.hpp"

namespace rankflow::analysis {

/// A value per row of a tile.
struct alignas(64) TileValues {
  std::array<double, parallel::tile_length> values{};
  double* data() noexcept { return values.data(); }
  const double* data() const noexcept { return values.data(); }
};

/// A mixture made ready for densities: L⁻¹ of each covariance, L⁻¹ mean, log of weight and normalisation.
class MixtureDensity {
 public:
  /// Throws NumericalError when a covariance is not positive definite.
  explicit MixtureDensity(const MixtureModel& mixture);

  int components() const noexcept { return static_cast<int>(log_weights_.size()); }
  /// Of every row of a tile: log-density into `total`, and the share of each component into `shares` [components].
  void evaluate(const MixtureRows& rows, std::int64_t tile, std::span<TileValues> shares, TileValues& total) const;

 private:
  void evaluate_component(const MixtureRows& rows, std::int64_t tile, std::size_t k, TileValues& log_density) const;

  int variables_;
  std::vector<double> log_weights_;
  std::vector<double> whiten_;    // [component, variables (variables + 1)/2], rows of the lower triangle
  std::vector<double> whitened_;  // [component, variables]
};

/// Σ_i a_i b_i over a tile; lanes first, one after the other at the end.
double tile_product(const double* a, const double* b) noexcept;

}  // namespace rankflow::analysis
