#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace rankflow::analysis {

/// Gaussian kernel density on n centres x_i of dimension D,
///   p(x) = (1/n) Σ_i h^(−D) exp(−|x − x_i|² / (2 h²)),
/// up to the factor (2π)^(−D/2). In the log domain: never underflows.
class KernelDensity {
 public:
  /// Points that are evaluated together. The bits of a point's density depend on its place in the group only.
  static constexpr std::int64_t group = 32;

  /// `centres` [n, D], n >= 1; `bandwidth` h > 0. Throws InternalError otherwise.
  KernelDensity(std::span<const double> centres, std::int64_t dimension, double bandwidth);

  /// log p of `points` [group, D].
  void log_density(std::span<const double> points, std::span<double, group> result) const;

 private:
  std::int64_t dimension_;
  std::int64_t count_;
  double scale_;                  ///< 1 / (h √2), so that exponents are squared distances
  std::vector<double> mean_;      ///< [D]; distances are taken around it, against cancellation
  std::vector<double> centres_;   ///< [whole blocks, D], scaled
  std::vector<double> exponent_;  ///< |centre|², infinite for padding
};

}  // namespace rankflow::analysis
