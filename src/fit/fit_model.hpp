#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "config/fit_vsmc_options.hpp"
#include "fit/data_set.hpp"
#include "fit/encoder.hpp"
#include "smc/latent_model.hpp"

namespace rankflow::fit {

/// The model of a fit with all its parameters, those of the proposal too, in one flat vector.
struct FitModel {
  /// channels: D, inputs: I of the data. Throws ConfigurationError when options do not fit each other or the data.
  FitModel(const config::FitVsmcOptions& options, std::int64_t channels, std::int64_t inputs);

  /// Random or given start (see LatentModel::initial_parameters); observations start at the mean (Gaussian: and
  /// scale) of every channel, and the encoder's standardisation is that of the data.
  std::vector<double> initial_parameters(std::uint64_t seed, const DataSet& data) const;

  smc::LatentModel latent;
  std::optional<EncoderParameters> encoder;
};

}  // namespace rankflow::fit
