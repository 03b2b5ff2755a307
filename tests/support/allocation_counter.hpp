#pragma once
// Counts what operator new hands out. It defines these operators: include it in one file of an executable.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace rankflow::testing {

inline std::atomic<std::int64_t> allocations = 0;

inline void* counted_memory(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace rankflow::testing

// Not inlined: where only one of a pair is, GCC sees memory of operator new go to free and takes it for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return rankflow::testing::counted_memory(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return rankflow::testing::counted_memory(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
