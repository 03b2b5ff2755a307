#pragma once
#include <cstdint>
#include <vector>

#include "config/network_options.hpp"
#include "model/loadings.hpp"

namespace rankflow::model {

/// Loadings with heavy tails and prescribed overlaps: n = O m + s e with E[m] = 0, cov(m) = 1 and e independent
/// of m and distributed like it, hence E[n m^T] = O exactly.
///   student_t: m = w sqrt((nu - 2) / (2 G)), w normal, G ~ Gamma(nu / 2) shared by the R entries of a neuron
///     (multivariate Student-t scaled to unit variance; e has a G of its own);
///   log_normal: m_r = (exp(s w - s^2/2) - 1) / sqrt(exp(s^2) - 1), entries independent.
class HeavyTailedLoadings : public LoadingSource {
 public:
  /// R is the size of options.overlap. Throws ConfigurationError when that is not square or not finite.
  HeavyTailedLoadings(const config::HeavyTailedOptions& options, std::uint64_t seed);

  int rank() const override { return static_cast<int>(options_.overlap.size()); }
  int inputs() const override { return 0; }
  bool has_bias() const override { return false; }
  void fill(std::int64_t first, LoadingTile& tile) const override;

 private:
  /// `part` 0: m, 1: the residual. `scale`: per-neuron factor of Student-t.
  void draw(std::int64_t first, int part, int entry, std::span<const double> scale, TileColumn out) const;
  void draw_scale(std::int64_t first, int part, TileColumn scale) const;

  config::HeavyTailedOptions options_;
  std::uint64_t seed_;
};

}  // namespace rankflow::model
