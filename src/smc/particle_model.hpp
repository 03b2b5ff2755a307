#pragma once
#include <span>
#include <vector>

#include "smc/model_arrays.hpp"
#include "smc/particle_filter.hpp"

namespace rankflow::smc {

/// A LatentModel at given parameters for the particles of this rank: where they are expected next and what they show.
template <class T>
class ParticleModel {
 public:
  /// Reads data.inputs of this rank's trials only. `model` and `layout` must outlive it. Throws NumericalError for
  /// parameters that are not finite.
  ParticleModel(const LatentModel& model, std::span<const double> parameters, const FilterData& data,
                const ParticleLayout& layout);

  /// mu [R][block_lanes]: the mean of z(t + 1) for zeta = [z(t); v(t)], [Q][block_lanes].
  void transition_mean(const T* zeta, std::int64_t lanes, T* mu) const;
  /// z [R][block_lanes] += L eps.
  void add_noise(const T* eps, std::int64_t lanes, T* z) const;
  /// v(time) into the last rows of zeta, [Q][block_lanes] of a local block.
  void fill_inputs(const Block& block, std::int64_t time, T* zeta) const;
  /// mean [D][block_lanes] of the observations.
  void observation_mean(const T* zeta, std::int64_t lanes, T* mean) const;
  /// L, row-major [R, R].
  const std::vector<T>& noise() const noexcept { return noise_; }

 private:
  const LatentModel& model_;
  ModelArrays<T> arrays_;
  std::vector<T> noise_;
  std::int64_t times_;
  std::int64_t first_trial_ = 0;
  std::vector<double> inputs_;  ///< v of the local trials [trials, T, I]
};

}  // namespace rankflow::smc
