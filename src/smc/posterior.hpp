#pragma once
#include <cstdint>
#include <vector>

#include "ad/aligned.hpp"
#include "smc/particle_filter.hpp"
#include "smc/trial_sums.hpp"

namespace rankflow::smc {

/// Of the trials [first_trial, first_trial + trials) that this rank owns (ParticleLayout::first_owned_trial).
struct LatentMoments {
  std::int64_t first_trial = 0, trials = 0, times = 0, rank = 0;
  std::vector<double> mean;        ///< [trials, T, R]
  std::vector<double> covariance;  ///< [trials, T, R, R]
};

/// Mean and covariance of weighted particles, step by step: an observer of ParticleFilter, also used by smoothers.
/// Equal bits at any rank count.
template <class T>
class PosteriorMoments {
 public:
  PosteriorMoments(const ParticleLayout& layout, const parallel::Communicator& comm, std::int64_t rank,
                   std::int64_t times);

  /// Takes one step, in any order of steps. Collective when trials cross ranks.
  void add(const WeightedParticles<T>& particles);
  /// Steps not added are 0.
  const LatentMoments& result() const noexcept { return result_; }

 private:
  void add_means(const WeightedParticles<T>& particles);
  void add_covariances(const WeightedParticles<T>& particles);
  bool owned(std::int64_t trial) const noexcept {
    return trial >= result_.first_trial && trial < result_.first_trial + result_.trials;
  }
  std::size_t row(std::int64_t trial, std::int64_t time) const noexcept {
    return static_cast<std::size_t>((trial - result_.first_trial) * result_.times + time);
  }

  LatentMoments result_;
  TrialSums means_, products_;
  ad::AlignedVector<double> centred_;  ///< [R][block_lanes]
};

}  // namespace rankflow::smc
