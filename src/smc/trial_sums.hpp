#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "parallel/communicator.hpp"
#include "smc/particle_layout.hpp"

namespace rankflow::smc {

/// Sums over the particles of each trial with the same bits at any rank count: each segment's part is given by the rank
/// that holds it, then segments are added in their order. No allocation after construction.
class TrialSums {
 public:
  /// length: numbers summed for each trial.
  TrialSums(const ParticleLayout& layout, const parallel::Communicator& comm, std::int64_t length);

  const std::vector<Segment>& segments() const noexcept { return segments_; }
  /// Trials that this rank has particles of: [first, end).
  std::int64_t first_trial() const noexcept { return first_trial_; }
  std::int64_t end_trial() const noexcept { return end_trial_; }

  /// The part of a local segment, to be written.
  std::span<double> part(std::size_t segment);
  /// Makes the parts of this rank's trials known. Collective when trials cross ranks.
  void share();
  /// share(), then sum() holds the sums.
  void combine();
  /// After share(): parts of all segments of a trial, one after the other.
  std::span<const double> parts(std::int64_t trial) const;
  /// After combine().
  std::span<const double> sum(std::int64_t trial) const;

 private:
  std::span<const double> row(const std::vector<double>& rows, std::int64_t first, std::int64_t count) const;

  const parallel::Communicator& comm_;
  std::int64_t length_;
  std::int64_t segments_per_trial_;
  bool crosses_;
  std::vector<Segment> segments_;
  std::int64_t first_trial_ = 0, end_trial_ = 0;
  std::vector<std::int64_t> counts_;  ///< numbers of each rank's segments
  std::vector<double> mine_, all_;    ///< parts of the local segments; of all when trials cross ranks
  std::vector<double> sums_;          ///< of the local trials
};

}  // namespace rankflow::smc
