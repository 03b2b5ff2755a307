#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config/simulate_options.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::model {

/// Observations of a latent state or of rates: mean = link(W s + bias), Gaussian or Poisson (Pals et al. 2024, eq. 3).
/// Small (channels x R) and the same on every rank.
class Observation {
 public:
  /// Random weights come from `seed`; the weight of (channel, latent) does not depend on the numbers of them. Throws
  /// InputDataError for arrays that do not fit `rank` or each other, and ConfigurationError when the number of
  /// channels is neither given nor told by the weights.
  Observation(const config::ObservationOptions& options, int rank, std::uint64_t seed);

  int channels() const noexcept { return channels_; }
  config::ObservationKind kind() const noexcept { return options_.kind; }
  config::ObservationSource source() const noexcept { return options_.source; }
  /// [channel, rank] for latents, else [channel], row-major.
  std::span<const double> weights() const noexcept { return weights_; }
  /// [channel, input], row-major; empty when the inputs are not seen.
  std::span<const double> input_weights() const noexcept { return input_weights_; }
  std::span<const double> bias() const noexcept { return bias_; }
  /// [channel]; empty for Poisson.
  std::span<const double> variance() const noexcept { return variance_; }

  /// Mean of every channel given `state`: [rank] latents, or the rates or potentials of the first channels() neurons.
  /// inputs: v, as many as input_weights() has columns.
  void mean(std::span<const double> state, std::span<double> mean, std::span<const double> inputs = {}) const;
  /// One draw given the means; `row` is the saved row. The value depends on (seed, trial, row, channel) and the mean
  /// only. `mean` and `observed` must not overlap. Throws NumericalError for a mean that is not finite, and for
  /// Poisson also negative or above 2^52, naming channel, trial and row.
  void draw(std::int64_t trial, std::int64_t row, std::span<const double> mean, std::span<double> observed) const;

 private:
  void check_means(std::int64_t trial, std::int64_t row, std::span<const double> mean) const;

  config::ObservationOptions options_;
  int rank_ = 0;
  int channels_ = 0;
  std::vector<double> weights_, input_weights_, bias_, variance_;
  parallel::Stream noise_;
};

}  // namespace rankflow::model
