#include "smc/forecast.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "smc/lane_sum.hpp"

namespace rankflow::smc {

namespace {

constexpr std::int64_t largest_horizon = 65535;  // steps are told apart by 16 bits of a random number's name

std::vector<std::int64_t> checked(std::vector<std::int64_t> horizons) {
  for (std::size_t i = 0; i < horizons.size(); ++i) {
    if (horizons[i] < 0 || horizons[i] > largest_horizon || (i > 0 && horizons[i] <= horizons[i - 1]))
      throw ConfigurationError("horizons of forecasts must lie in 0 to {} and ascend, found {} at position {}",
                               largest_horizon, horizons[i], i);
  }
  return horizons;
}

}  // namespace

template <class T>
Forecaster<T>::Forecaster(const LatentModel& model, std::span<const double> parameters, const FilterData& data,
                          const ParticleLayout& layout, const parallel::Communicator& comm,
                          std::vector<std::int64_t> horizons, const FilterRandomness& randomness)
    : layout_(layout),
      rank_(model.rank()),
      model_(model, parameters, data, layout),
      stream_(randomness.seed, parallel::Purpose::forecast_noise, randomness.iteration),
      noise_(layout, model.rank()),
      result_{.first_trial = layout.first_owned_trial(layout.rank()),
              .trials = layout.first_owned_trial(layout.rank() + 1) - layout.first_owned_trial(layout.rank()),
              .times = data.times,
              .channels = model.channels(),
              .horizons = checked(std::move(horizons)),
              .mean = {}},
      sums_(layout, comm, static_cast<std::int64_t>(result_.horizons.size()) * model.channels()) {
  zeta_.assign(static_cast<std::size_t>(model.states() * L), T(0));
  mu_.assign(static_cast<std::size_t>(rank_ * L), T(0));
  eps_.assign(static_cast<std::size_t>(rank_ * L), T(0));
  mean_.assign(static_cast<std::size_t>(model.channels() * L), T(0));
  const auto rows = result_.horizons.size() * static_cast<std::size_t>(result_.trials * result_.times);
  result_.mean.assign(rows * static_cast<std::size_t>(result_.channels), std::numeric_limits<double>::quiet_NaN());
}

template <class T>
void Forecaster<T>::add(const WeightedParticles<T>& particles) {
  next_segment_ = 0;
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) forecast_block(particles, local);
  sums_.combine();
  store(particles.time);
}

template <class T>
void Forecaster<T>::forecast_block(const WeightedParticles<T>& particles, std::int64_t local) {
  const Block block = layout_.block(layout_.first_block() + local);
  std::copy_n(particles.block_states(local), zeta_.size(), zeta_.data());
  std::int64_t step = 0;
  for (std::size_t h = 0; h < result_.horizons.size(); ++h) {
    if (particles.time + result_.horizons[h] >= result_.times) break;
    for (; step < result_.horizons[h]; ++step) move(block, local, particles.time, step);
    model_.observation_mean(zeta_.data(), block.lanes(), mean_.data());
    add_means(particles.block_weights(local), h);
  }
  next_segment_ += static_cast<std::size_t>(block.trials);
}

/// From time + step to the next.
template <class T>
void Forecaster<T>::move(const Block& block, std::int64_t local, std::int64_t time, std::int64_t step) {
  model_.transition_mean(zeta_.data(), block.lanes(), mu_.data());
  noise_.draw(stream_, local, static_cast<std::uint32_t>(time), static_cast<std::uint32_t>(step), eps_.data());
  model_.add_noise(eps_.data(), block.lanes(), mu_.data());
  std::copy(mu_.begin(), mu_.end(), zeta_.begin());
  model_.fill_inputs(block, time + step + 1, zeta_.data());
}

template <class T>
void Forecaster<T>::add_means(const double* weights, std::size_t horizon) {
  std::array<double, L> product{};
  const auto channels = static_cast<std::size_t>(result_.channels);
  const std::int64_t block = sums_.segments()[next_segment_].local_block;
  for (std::size_t i = next_segment_; i < sums_.segments().size(); ++i) {
    const Segment& segment = sums_.segments()[i];
    if (segment.local_block != block) break;
    for (std::size_t d = 0; d < channels; ++d) {
      const T* mean = mean_.data() + d * static_cast<std::size_t>(L);
      for (std::int64_t p = segment.first_lane; p < segment.end_lane(); ++p)
        product[static_cast<std::size_t>(p)] = weights[p] * static_cast<double>(mean[p]);
      sums_.part(i)[horizon * channels + d] =
          lane_sum<double>(product.data(), {segment.first_lane, segment.end_lane()});
    }
  }
}

template <class T>
void Forecaster<T>::store(std::int64_t time) {
  const auto channels = static_cast<std::size_t>(result_.channels);
  for (std::size_t h = 0; h < result_.horizons.size(); ++h) {
    const std::int64_t target = time + result_.horizons[h];
    if (target >= result_.times) break;
    for (std::int64_t trial = 0; trial < result_.trials; ++trial) {
      const auto sums = sums_.sum(result_.first_trial + trial);
      const auto row = (static_cast<std::int64_t>(h) * result_.trials + trial) * result_.times + target;
      std::copy_n(sums.data() + h * channels, channels, result_.mean.data() + static_cast<std::size_t>(row) * channels);
    }
  }
}

template class Forecaster<float>;
template class Forecaster<double>;

}  // namespace rankflow::smc
