#include "smc/particle_noise.hpp"

#include <algorithm>

#include "parallel/draws.hpp"

namespace rankflow::smc {

namespace {}  // namespace

template <class T>
ParticleNoise<T>::ParticleNoise(const ParticleLayout& layout, std::int64_t rows)
    : layout_(layout), rows_(rows), drawn_(static_cast<std::size_t>(rows * L)) {}

template <class T>
void ParticleNoise<T>::draw(const parallel::Stream& stream, std::int64_t local_block, std::uint32_t step,
                            std::uint32_t index, T* out) {
  const std::int64_t block = layout_.first_block() + local_block;
  const Block which = layout_.block(block);
  if (layout_.trials_span_blocks()) {
    const std::int64_t within = block % layout_.blocks_per_trial();
    parallel::normal<T>(stream, {.trial = static_cast<std::uint32_t>(which.first_trial), .step = step, .index = index},
                        static_cast<std::uint64_t>(within * rows_ * L), {out, static_cast<std::size_t>(rows_ * L)});
    return;
  }
  const std::int64_t particles = which.particles;
  for (std::int64_t trial = 0; trial < which.trials; ++trial) {
    parallel::normal<T>(stream,
                        {.trial = static_cast<std::uint32_t>(which.first_trial + trial), .step = step, .index = index},
                        0, {drawn_.data(), static_cast<std::size_t>(rows_ * particles)});
    for (std::int64_t r = 0; r < rows_; ++r)
      std::copy_n(drawn_.data() + r * particles, particles, out + r * L + trial * particles);
  }
}

template class ParticleNoise<float>;
template class ParticleNoise<double>;

}  // namespace rankflow::smc
