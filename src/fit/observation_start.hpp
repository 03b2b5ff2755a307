#pragma once
#include <span>

#include "fit/data_set.hpp"
#include "smc/latent_model.hpp"

namespace rankflow::fit {

/// Moves the random start of the observation model to where the data are, channel by channel: the bias gives the
/// channel's mean when s has no other part; Gaussian weights and noise are in units of the channel's standard
/// deviation. Arrays the user gave (parameters.observation_*) stay. flat: the model's parameters, changed in place.
void start_observation(const smc::LatentModel& model, const Standardisation& moments, std::span<double> flat);

/// s with link(s) = mean. mean must be positive for exponential, softplus and relu.
double inverse_link(config::Link link, double mean);

}  // namespace rankflow::fit
