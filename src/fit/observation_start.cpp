#include "fit/observation_start.hpp"

#include <cmath>

namespace rankflow::fit {

double inverse_link(config::Link link, double mean) {
  switch (link) {
    case config::Link::exponential:
      return std::log(mean);
    case config::Link::softplus:
      // log(e^mean - 1), without overflow for large means and without loss for small ones.
      return mean + std::log(-std::expm1(-mean));
    case config::Link::relu:
    case config::Link::identity:
      break;
  }
  return mean;
}

void start_observation(const smc::LatentModel& model, const Standardisation& moments, std::span<double> flat) {
  const auto& observation = model.options().observation;
  const auto& given = model.options().parameters;
  const auto part = [&](smc::LatentModel::Id id) { return model.layout().part(flat, id); };
  const bool gaussian = model.observation_log_variance.has_value();
  const auto weights = part(model.observation_weights);
  const auto bias = part(model.observation_bias);
  const std::size_t per_channel = weights.size() / bias.size();
  for (std::size_t c = 0; c < bias.size(); ++c) {
    if (!given.observation_bias.given) bias[c] = inverse_link(observation.link_or_default(), moments.mean[c]);
    if (!gaussian) continue;
    if (!given.observation_weights.given && observation.train_weights)
      for (double& weight : weights.subspan(c * per_channel, per_channel)) weight *= moments.std[c];
    if (!given.observation_variance.given) part(*model.observation_log_variance)[c] += 2 * std::log(moments.std[c]);
  }
}

}  // namespace rankflow::fit
