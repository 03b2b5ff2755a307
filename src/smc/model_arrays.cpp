#include "smc/model_arrays.hpp"

#include <algorithm>

namespace rankflow::smc {

namespace {

template <class T>
void cast(const double* from, Eigen::Index count, std::vector<T>& to) {
  to.resize(static_cast<std::size_t>(count));
  std::transform(from, from + count, to.begin(), [](double value) { return static_cast<T>(value); });
}

}  // namespace

template <class T>
void ModelArrays<T>::take(const LatentModel& model, const StateSpace& space) {
  cast(space.step_weights.data(), space.step_weights.size(), step_weights);
  cast(space.n.data(), space.n.size(), n);
  cast(space.bias.data(), space.bias.size(), bias);
  cast(space.readout.data(), space.readout.size(), readout);
  cast(space.scale.data(), space.scale.size(), scale);
  cast(space.observation_bias.data(), space.observation_bias.size(), observation_bias);
  const Vector inverse = space.variance.cwiseInverse();
  cast(inverse.data(), inverse.size(), precision);
  decay = static_cast<T>(space.decay);
  transition.prepare({.activation = model.options().network.activation,
                      .neurons = model.neurons(),
                      .states = model.states(),
                      .rank = model.rank(),
                      .m = step_weights,
                      .n = n,
                      .bias = bias});
}

template <class T>
Readout<T> ModelArrays<T>::observation(const LatentModel& model) const {
  const auto& options = model.options().observation;
  return {.kind = options.kind,
          .link = options.link_or_default(),
          .rates = options.source == config::ReadoutSource::rates,
          .activation = model.options().network.activation,
          .channels = model.channels(),
          .states = model.states(),
          .weights = readout.data(),
          .neuron_bias = bias.data(),
          .scale = scale.data(),
          .bias = observation_bias.data(),
          .precision = precision.empty() ? nullptr : precision.data()};
}

template struct ModelArrays<float>;
template struct ModelArrays<double>;

}  // namespace rankflow::smc
