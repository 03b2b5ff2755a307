#include "parallel/random_stream.hpp"

namespace rankflow::parallel {

Stream::Stream(std::uint64_t seed, Purpose purpose) {
  const PhiloxKey seed_key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  const PhiloxBlock block = philox(seed_key, {static_cast<std::uint32_t>(purpose), 0, 0, 0});
  key_ = {block[0], block[1]};
}

}  // namespace rankflow::parallel
