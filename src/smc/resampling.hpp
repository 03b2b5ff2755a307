#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "config/smc_options.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::smc {

/// Where the K positions of one trial and step lie in the cumulated weights: the particle whose stretch of [0, 1) holds
/// position j is the ancestor of slot j (Douc, Cappé & Moulines 2005). Positions ascend, so the offspring of a particle
/// fill neighbouring slots. Every rank makes the same positions. No allocation after the first use.
class ResamplingPositions {
 public:
  ResamplingPositions(config::Resampling scheme, std::int64_t slots);

  /// Draws the positions. Residual resampling draws `drawn` of them for the remainders, else drawn = slots.
  void draw(const parallel::Stream& stream, std::uint32_t trial, std::uint32_t step, std::int64_t drawn);
  /// Number of positions below `cumulated`, a share of the total in [0, 1].
  std::int64_t below(double cumulated) const;
  /// The same for each of many.
  void below(std::span<const double> cumulated, std::span<std::int64_t> counts) const;

 private:
  config::Resampling scheme_;
  std::int64_t drawn_ = 0;
  std::vector<double> uniforms_;
};

/// Offspring of the particles of one block, given the block's share of the trial.
struct BlockShare {
  double mass_before = 0;  ///< normalised weight of the trial's particles before the block
  double mass = 0;         ///< of the block
  std::int64_t first_slot = 0;
  std::int64_t end_slot = 0;
};

/// first_slots[lane] for lane < weights.size(), and end_slot after the last: lane's offspring fill slots
/// [first_slots[lane], first_slots[lane + 1]). weights: of the block's particles, at most block_lanes, with any common
/// factor; the slots handed out are exactly those of `share`.
void block_offspring(const ResamplingPositions& positions, std::span<const double> weights, const BlockShare& share,
                     std::span<std::int64_t> first_slots);

}  // namespace rankflow::smc
