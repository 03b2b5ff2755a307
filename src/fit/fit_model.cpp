#include "fit/fit_model.hpp"

#include "fit/observation_start.hpp"

namespace rankflow::fit {

FitModel::FitModel(const config::FitVsmcOptions& options, std::int64_t channels, std::int64_t inputs)
    : latent(options.model, channels, inputs) {
  smc::add_proposal_parameters(latent, options.smc.proposal);
  if (options.smc.proposal == config::Proposal::encoder) encoder = add_encoder_parameters(options.encoder, latent);
}

std::vector<double> FitModel::initial_parameters(std::uint64_t seed, const DataSet& data) const {
  auto flat = latent.initial_parameters(seed);
  const auto moments = measure_channels(data);
  start_observation(latent, moments, flat);
  if (encoder) initialise_encoder(*encoder, latent.layout(), seed, moments.mean, moments.std, flat);
  return flat;
}

}  // namespace rankflow::fit
