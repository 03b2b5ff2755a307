#pragma once
#include <cstdint>
#include <vector>

#include "ad/aligned.hpp"
#include "smc/particle_filter.hpp"

namespace rankflow::smc {

/// Particles of all steps of a filter, for smoothers: latents, weights and who descends from whom. An observer of
/// ParticleFilter; each rank keeps what it holds.
template <class T>
class FilterHistory {
 public:
  /// Throws ConfigurationError, the same on every rank, when a rank needs more than `memory_limit` bytes.
  FilterHistory(const ParticleLayout& layout, const parallel::Communicator& comm, std::int64_t rank, std::int64_t times,
                std::int64_t memory_limit);

  /// Bytes that the fullest rank needs, known before a run.
  static std::int64_t bytes_per_rank(const ParticleLayout& layout, std::int64_t rank, std::int64_t times);

  /// Takes the next step, from 0 on.
  void add(const WeightedParticles<T>& particles);

  const ParticleLayout& layout() const noexcept { return layout_; }
  const parallel::Communicator& comm() const noexcept { return comm_; }
  std::int64_t rank() const noexcept { return rank_; }
  std::int64_t times() const noexcept { return times_; }
  /// Particles of a step: rows are the R latents alone. Throws InternalError when not all steps were added.
  WeightedParticles<T> particles(std::int64_t time);
  /// From `time` to time + 1.
  Genealogy genealogy(std::int64_t time);

 private:
  struct Step {
    ad::AlignedVector<T> states;                            ///< [local block][R][block_lanes]
    std::vector<double> weights;                            ///< [local block][block_lanes]
    std::vector<std::int64_t> first_slots, sent, received;  ///< Genealogy that led here
  };

  const ParticleLayout& layout_;
  const parallel::Communicator& comm_;
  std::int64_t rank_, times_;
  std::vector<Step> steps_;
};

}  // namespace rankflow::smc
