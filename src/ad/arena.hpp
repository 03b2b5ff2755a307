#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "ad/aligned.hpp"

namespace rankflow::ad {

/// Memory that is handed out piece by piece and taken back all at once. Pieces are aligned to 64 bytes and never move
/// before reset(). A pass that needs no more than the largest one before it allocates nothing.
class Arena {
 public:
  /// Uninitialised memory for `count` >= 0 numbers of a type without destructor.
  template <class T>
  T* allocate(std::int64_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignment);
    return static_cast<T*>(take(static_cast<std::size_t>(count) * sizeof(T)));
  }
  /// The same, filled with zeros.
  template <class T>
  T* zeros(std::int64_t count) {
    T* const first = allocate<T>(count);
    std::fill_n(first, count, T{});
    return first;
  }

  /// Takes all pieces back; the memory stays for the next pass, as one block.
  void reset();
  /// Bytes handed out since the last reset, with padding.
  std::size_t used() const noexcept { return full_ + used_in_last_; }
  /// Bytes held.
  std::size_t capacity() const noexcept;

 private:
  void* take(std::size_t bytes) {
    bytes = (bytes + alignment - 1) / alignment * alignment;
    if (blocks_.empty() || used_in_last_ + bytes > blocks_.back().size()) add_block(bytes);
    std::byte* const piece = blocks_.back().data() + used_in_last_;
    used_in_last_ += bytes;
    return piece;
  }
  void add_block(std::size_t bytes);

  std::vector<AlignedVector<std::byte>> blocks_;  // all but the last are full
  std::size_t full_ = 0;                          // bytes handed out in these
  std::size_t used_in_last_ = 0;
};

}  // namespace rankflow::ad
