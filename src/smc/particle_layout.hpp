#pragma once
#include <cstdint>
#include <vector>

#include "smc/low_rank_step.hpp"

namespace rankflow::smc {

/// A block: up to block_lanes particles that are advanced together, one in each SIMD lane.
struct Block {
  std::int64_t first_trial = 0;
  std::int64_t trials = 0;          ///< whole trials side by side, or 1
  std::int64_t first_particle = 0;  ///< of its trial; 0 when trials are whole
  std::int64_t particles = 0;       ///< per trial

  std::int64_t lanes() const noexcept { return trials * particles; }
};

/// A trial's part of a block that this rank holds. Sums over the particles of a trial go segment by segment, in their
/// order: so they have the same bits at any rank count.
struct Segment {
  std::int64_t trial = 0;
  std::int64_t local_block = 0;
  std::int64_t first_lane = 0;
  std::int64_t particles = 0;

  std::int64_t end_lane() const noexcept { return first_lane + particles; }
};

/// How B trials of K particles are dealt to ranks. Both axes are split by one scheme chosen from B and K alone: small
/// trials share a block, large ones span several; ranks take runs of whole blocks. So sums formed block by block do
/// not depend on the rank count, and no particle moves between ranks while a trial fits one block.
class ParticleLayout {
 public:
  /// Throws InternalError unless trials and particles are positive.
  ParticleLayout(std::int64_t trials, std::int64_t particles, int ranks, int rank);

  std::int64_t trials() const noexcept { return trials_; }
  std::int64_t particles() const noexcept { return particles_; }
  /// Blocks over all ranks.
  std::int64_t blocks() const noexcept { return blocks_; }
  std::int64_t first_block() const noexcept { return bounds_[static_cast<std::size_t>(rank_)]; }
  std::int64_t end_block() const noexcept { return bounds_[static_cast<std::size_t>(rank_) + 1]; }
  std::int64_t local_blocks() const noexcept { return end_block() - first_block(); }
  /// First block of each rank, and blocks(): ranks + 1 values.
  const std::vector<std::int64_t>& rank_bounds() const noexcept { return bounds_; }
  int ranks() const noexcept { return static_cast<int>(bounds_.size()) - 1; }
  int rank() const noexcept { return rank_; }
  int rank_of_block(std::int64_t block) const noexcept;
  /// True when a trial has more particles than a block.
  bool trials_span_blocks() const noexcept { return blocks_per_trial_ > 1; }
  /// True when the particles of some trial lie on more than one rank.
  bool crosses_ranks() const noexcept;
  /// Blocks of one trial (1 when trials share blocks).
  std::int64_t blocks_per_trial() const noexcept { return blocks_per_trial_; }

  Block block(std::int64_t index) const noexcept;
  /// The local blocks' segments, in the order of trials and particles.
  std::vector<Segment> local_segments() const;
  /// Where a trial belongs to one rank alone, it is that on which it begins: rank r owns the trials
  /// [first_owned_trial(r), first_owned_trial(r + 1)).
  std::int64_t first_owned_trial(int rank) const noexcept;
  /// First particle of the block number `within_trial` of a trial that spans blocks; K for the number after the last.
  std::int64_t particle_begin(std::int64_t within_trial) const noexcept;

 private:
  std::int64_t trials_;
  std::int64_t particles_;
  int rank_;
  std::int64_t blocks_per_trial_ = 1;
  std::int64_t blocks_ = 0;
  std::vector<std::int64_t> bounds_;
};

}  // namespace rankflow::smc
