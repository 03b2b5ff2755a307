#pragma once
#include <cstdint>
#include <vector>

#include "parallel/random_stream.hpp"
#include "smc/particle_layout.hpp"

namespace rankflow::smc {

/// Standard normals for the particles of a block: those of a particle depend on (stream, its trial and place, step,
/// index) and not on who draws them. No allocation after construction.
template <class T>
class ParticleNoise {
 public:
  /// rows: numbers for each particle.
  ParticleNoise(const ParticleLayout& layout, std::int64_t rows);

  /// out [rows][block_lanes] for a local block.
  void draw(const parallel::Stream& stream, std::int64_t local_block, std::uint32_t step, std::uint32_t index, T* out);

 private:
  const ParticleLayout& layout_;
  std::int64_t rows_;
  std::vector<T> drawn_;  ///< of one trial
};

}  // namespace rankflow::smc
