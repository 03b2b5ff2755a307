#include "ad/arena.hpp"

namespace rankflow::ad {
namespace {

constexpr std::size_t smallest_block = std::size_t{1} << 16;

}  // namespace

void Arena::add_block(std::size_t bytes) {
  // Twice what is held: a growing pass takes few blocks.
  blocks_.emplace_back(std::max({bytes, smallest_block, capacity()}));
  full_ += used_in_last_;
  used_in_last_ = 0;
}

void Arena::reset() {
  if (blocks_.size() > 1) {
    const std::size_t all = capacity();
    blocks_.clear();
    blocks_.emplace_back(all);
  }
  full_ = 0;
  used_in_last_ = 0;
}

std::size_t Arena::capacity() const noexcept {
  std::size_t bytes = 0;
  for (const auto& block : blocks_) bytes += block.size();
  return bytes;
}

}  // namespace rankflow::ad
