#pragma once
#include <cstdint>
#include <vector>

#include "ad/aligned.hpp"
#include "smc/particle_model.hpp"
#include "smc/particle_noise.hpp"
#include "smc/trial_sums.hpp"

namespace rankflow::smc {

/// Forecasts of the observations for the trials [first_trial, first_trial + trials) that this rank owns
/// (ParticleLayout::first_owned_trial).
struct ObservationForecasts {
  std::int64_t first_trial = 0, trials = 0, times = 0, channels = 0;
  std::vector<std::int64_t> horizons;
  /// E[x(t) | x(0 .. t - horizon)] of channel d at [horizon, trial, t, d]; NaN where t < horizon. Horizon 0 is the mean
  /// given the data up to t itself: of channels that were hidden from the filter, their prediction from the others.
  std::vector<double> mean;
};

/// Forecasts k steps ahead: an observer of ParticleFilter that moves a copy of the weighted particles of every step on
/// by the transition with noise, without looking at later data, and averages the mean of the observation over them.
/// Costs max(horizons) steps of all particles for each step of the filter. Equal bits at any rank count.
template <class T>
class Forecaster {
 public:
  /// horizons: 0 <= k < 2^16, ascending; `data` as given to the filter. Throws ConfigurationError unless they ascend.
  Forecaster(const LatentModel& model, std::span<const double> parameters, const FilterData& data,
             const ParticleLayout& layout, const parallel::Communicator& comm, std::vector<std::int64_t> horizons,
             const FilterRandomness& randomness);

  /// Takes one step. Collective when trials cross ranks.
  void add(const WeightedParticles<T>& particles);
  const ObservationForecasts& result() const noexcept { return result_; }

 private:
  void forecast_block(const WeightedParticles<T>& particles, std::int64_t local);
  void move(const Block& block, std::int64_t local, std::int64_t time, std::int64_t step);
  void add_means(const double* weights, std::size_t horizon);
  void store(std::int64_t time);

  const ParticleLayout& layout_;
  std::int64_t rank_;
  ParticleModel<T> model_;
  parallel::Stream stream_;
  ParticleNoise<T> noise_;
  ObservationForecasts result_;
  TrialSums sums_;                ///< [horizon, D] for each trial
  std::size_t next_segment_ = 0;  ///< first of the block at hand
  ad::AlignedVector<T> zeta_, mu_, eps_, mean_;
};

}  // namespace rankflow::smc
