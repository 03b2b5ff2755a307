#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <xsimd/xsimd.hpp>

/// Loops over arrays a vector register at a time; the rest at the end is padded, so that each number goes through the
/// same operations wherever it lies.
namespace rankflow::nn {

/// Numbers [at, at + width) of any array.
template <class T>
struct WholeLanes {
  using Batch = xsimd::batch<T>;
  std::int64_t at;

  Batch load(const T* array) const { return Batch::load_unaligned(array + at); }
  void store(T* array, const Batch& batch) const { batch.store_unaligned(array + at); }
  void add(T* array, const Batch& batch) const { store(array, load(array) + batch); }
  T sum(const Batch& batch) const { return xsimd::hadd(batch); }
};

/// Numbers [at, at + count), fewer than a register holds; the lanes beyond are loaded as 0 and not stored.
template <class T>
struct SomeLanes {
  using Batch = xsimd::batch<T>;
  std::int64_t at;
  std::int64_t count;

  Batch load(const T* array) const {
    alignas(64) std::array<T, Batch::size> lanes{};
    std::copy_n(array + at, count, lanes.begin());
    return Batch::load_aligned(lanes.data());
  }
  void store(T* array, const Batch& batch) const {
    alignas(64) std::array<T, Batch::size> lanes;
    batch.store_aligned(lanes.data());
    std::copy_n(lanes.begin(), count, array + at);
  }
  void add(T* array, const Batch& batch) const { store(array, load(array) + batch); }
  /// Over the lanes in use.
  T sum(const Batch& batch) const {
    alignas(64) std::array<T, Batch::size> lanes{};
    SomeLanes{0, count}.store(lanes.data(), batch);
    return xsimd::hadd(Batch::load_aligned(lanes.data()));
  }
};

/// body(lanes) for the numbers [0, count) of the arrays it loads and stores.
template <class T, class Body>
void for_lanes(std::int64_t count, const Body& body) {
  constexpr auto width = static_cast<std::int64_t>(xsimd::batch<T>::size);
  std::int64_t at = 0;
  for (; at + width <= count; at += width) body(WholeLanes<T>{at});
  if (at < count) body(SomeLanes<T>{at, count - at});
}

/// 1 / (1 + exp(-x)) without overflow.
template <class T>
xsimd::batch<T> sigmoid(const xsimd::batch<T>& x) {
  using Batch = xsimd::batch<T>;
  const Batch decaying = xsimd::exp(-xsimd::abs(x));
  return xsimd::select(x < Batch(T(0)), decaying, Batch(T(1))) / (Batch(T(1)) + decaying);
}

/// log(1 + exp(x)) without overflow.
template <class T>
xsimd::batch<T> softplus(const xsimd::batch<T>& x) {
  using Batch = xsimd::batch<T>;
  return xsimd::max(Batch(T(0)), x) + xsimd::log1p(xsimd::exp(-xsimd::abs(x)));
}

}  // namespace rankflow::nn
