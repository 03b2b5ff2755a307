#include "smc/particle_layout.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace rankflow::smc {

namespace {

/// Start of part `index` when `items` are dealt evenly to `parts`.
std::int64_t part_begin(std::int64_t items, std::int64_t parts, std::int64_t index) {
  return items / parts * index + std::min(items % parts, index);
}

/// Particles are cut between blocks at multiples of this, so that most blocks fill whole SIMD vectors.
constexpr std::int64_t particle_unit = 16;

}  // namespace

ParticleLayout::ParticleLayout(std::int64_t trials, std::int64_t particles, int ranks, int rank)
    : trials_(trials), particles_(particles), rank_(rank) {
  if (trials < 1 || particles < 1)
    throw InternalError("a particle layout of {} trials x {} particles", trials, particles);
  if (particles > block_lanes) {
    blocks_per_trial_ = (particles + block_lanes - 1) / block_lanes;
    blocks_ = trials * blocks_per_trial_;
  } else {
    const std::int64_t trials_that_fit = block_lanes / particles;
    blocks_ = (trials + trials_that_fit - 1) / trials_that_fit;
  }
  for (int r = 0; r <= ranks; ++r) bounds_.push_back(part_begin(blocks_, ranks, r));
}

std::int64_t ParticleLayout::particle_begin(std::int64_t within_trial) const noexcept {
  const std::int64_t units = (particles_ + particle_unit - 1) / particle_unit;
  return std::min(particles_, particle_unit * part_begin(units, blocks_per_trial_, within_trial));
}

int ParticleLayout::rank_of_block(std::int64_t block) const noexcept {
  const auto after = std::upper_bound(bounds_.begin(), bounds_.end(), block);
  return static_cast<int>(after - bounds_.begin()) - 1;
}

bool ParticleLayout::crosses_ranks() const noexcept {
  return std::ranges::any_of(bounds_, [this](std::int64_t bound) { return bound % blocks_per_trial_ != 0; });
}

std::vector<Segment> ParticleLayout::local_segments() const {
  std::vector<Segment> segments;
  for (std::int64_t local = 0; local < local_blocks(); ++local) {
    const Block which = block(first_block() + local);
    for (std::int64_t t = 0; t < which.trials; ++t)
      segments.push_back({.trial = which.first_trial + t,
                          .local_block = local,
                          .first_lane = t * which.particles,
                          .particles = which.particles});
  }
  return segments;
}

std::int64_t ParticleLayout::first_owned_trial(int rank) const noexcept {
  const std::int64_t bound = bounds_[static_cast<std::size_t>(rank)];
  if (bound == blocks_) return trials_;
  return trials_span_blocks() ? (bound + blocks_per_trial_ - 1) / blocks_per_trial_ : block(bound).first_trial;
}

Block ParticleLayout::block(std::int64_t index) const noexcept {
  if (trials_span_blocks()) {
    const std::int64_t first = particle_begin(index % blocks_per_trial_);
    return {.first_trial = index / blocks_per_trial_,
            .trials = 1,
            .first_particle = first,
            .particles = particle_begin(index % blocks_per_trial_ + 1) - first};
  }
  const std::int64_t first = part_begin(trials_, blocks_, index);
  return {.first_trial = first,
          .trials = part_begin(trials_, blocks_, index + 1) - first,
          .first_particle = 0,
          .particles = particles_};
}

}  // namespace rankflow::smc
