#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config/simulate_options.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::simulate {

/// Lower triangular matrix [R, R] that `source`, the configuration's `key`, holds. Throws InputDataError when it does
/// not.
std::vector<double> read_cholesky(const config::ArraySource& source, const char* key, int rank);

/// Gaussian noise L eps of the latents, one draw per trial and step, the same on every rank.
class LatentNoise {
 public:
  /// Throws InputDataError when noise.latent_cholesky is not R x R.
  LatentNoise(const config::NoiseOptions& options, int rank, std::uint64_t seed);

  bool empty() const noexcept { return cholesky_.empty(); }
  /// Adds scale L eps to `values` [R].
  void add(std::int64_t trial, std::int64_t step, double scale, std::span<double> values) const;

 private:
  std::vector<double> cholesky_;  ///< [R, R] lower triangular, empty without noise
  parallel::Stream stream_;
  mutable std::vector<double> normals_;
};

}  // namespace rankflow::simulate
