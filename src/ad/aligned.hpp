#pragma once
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace rankflow::ad {

/// Bytes that arrays are aligned to: results of vector code must not depend on where an array happens to lie.
inline constexpr std::size_t alignment = 64;

/// Allocator of aligned arrays; resize() leaves new numbers uninitialised.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{alignment}));
  }
  void deallocate(T* first, std::size_t) noexcept { ::operator delete (first, std::align_val_t{alignment}); }
  template <class U, class... Args>
  void construct(U* place, Args&&... args) {
    if constexpr (sizeof...(Args) == 0)
      ::new (static_cast<void*>(place)) U;
    else
      ::new (static_cast<void*>(place)) U(std::forward<Args>(args)...);
  }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) = default;
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace rankflow::ad
