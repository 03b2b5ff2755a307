#include "parallel/random_stream.hpp"

namespace rankflow::parallel {

namespace {

PhiloxKey stream_key(std::uint64_t seed, const PhiloxBlock& identity) {
  const PhiloxKey seed_key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  const PhiloxBlock block = philox(seed_key, identity);
  return {block[0], block[1]};
}

}  // namespace

Stream::Stream(std::uint64_t seed, Purpose purpose)
    : key_(stream_key(seed, {static_cast<std::uint32_t>(purpose), 0, 0, 0})) {}

Stream::Stream(std::uint64_t seed, Purpose purpose, std::uint64_t iteration)
    : key_(stream_key(seed, {static_cast<std::uint32_t>(purpose), 1, static_cast<std::uint32_t>(iteration),
                             static_cast<std::uint32_t>(iteration >> 32)})) {}

}  // namespace rankflow::parallel
