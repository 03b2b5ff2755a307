#pragma once
// Bodies of tile_kernels.hpp, instantiated once per precision (tile_kernels_double.cpp, tile_kernels_single.cpp).
#include <algorithm>
#include <array>
#include <type_traits>

#include <xsimd/xsimd.hpp>

#include "model/activation.hpp"
#include "model/fused_product.hpp"
#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {
namespace kernels {

using model::fused;
using model::fused_minus;
using parallel::tile_size;

template <class T>
using Batch = xsimd::batch<T>;
template <class T>
constexpr std::int64_t width = static_cast<std::int64_t>(Batch<T>::size);

/// Ranks up to this one keep their sums in registers; higher ones go through a buffer in the first-level cache.
constexpr int register_ranks = 4;

/// Asks for the cache line at the same place of the next tile. Each column of a tile is a page of its own, where the
/// processor's prefetcher starts anew; past the last tile a prefetch has no effect. Inlined by force: GCC drops calls
/// of a function that only prefetches.
template <class T>
[[gnu::always_inline]] inline void prefetch(const T* column, std::int64_t columns, std::int64_t i) {
  __builtin_prefetch(column + columns * tile_size + i);
}

template <class T>
T sum_lanes(const Batch<T>& batch) {
  // Lanes one after the other: the order is ours, not that of a library's tree.
  alignas(64) std::array<T, Batch<T>::size> lanes;
  batch.store_aligned(lanes.data());
  T sum = 0;
  for (const T lane : lanes) sum += lane;
  return sum;
}

template <class T>
[[gnu::always_inline]] inline Batch<T> bias_at(const TileWeights<T>& w, std::int64_t i) {
  return w.bias == nullptr ? Batch<T>(T(0)) : Batch<T>::load_aligned(w.bias + i);
}

template <class T>
[[gnu::always_inline]] inline Batch<T> drive_at(const TileWeights<T>& w, const T* kappa, const T* u, std::int64_t i,
                                                int rank) {
  Batch<T> drive = Batch<T>(kappa[0]) * Batch<T>::load_aligned(w.m + i);
  for (int r = 1; r < rank; ++r)
    drive = fused(Batch<T>(kappa[r]), Batch<T>::load_aligned(w.m + r * tile_size + i), drive);
  for (int k = 0; k < w.inputs; ++k)
    drive = fused(Batch<T>(u[k]), Batch<T>::load_aligned(w.input_weights + k * tile_size + i), drive);
  return drive;
}

/// Where a tile's potentials come from: each policy gives the potential of batch i.
template <class T>
struct Stepped {
  TileUpdate<T> update;
  const T* kappa;
  const T* u;
  T* x;

  [[gnu::always_inline]] void look_ahead(std::int64_t i) const { prefetch(x, 1, i); }
  [[gnu::always_inline]] Batch<T> potential(const TileWeights<T>& w, std::int64_t i, int rank) const {
    Batch<T> drive = drive_at(w, kappa, u, i, rank);
    if (update.extra != nullptr) drive += Batch<T>::load_aligned(update.extra + i);
    const Batch<T> gain = update.gains == nullptr ? Batch<T>(update.gain) : Batch<T>::load_aligned(update.gains + i);
    Batch<T> next = Batch<T>::load_aligned(x + i);
    next = fused(gain, fused_minus(Batch<T>(update.leak), next, drive), next);
    if (update.noise != nullptr) next += Batch<T>::load_aligned(update.noise + i);
    next.store_aligned(x + i);
    return next;
  }
};

template <class T>
struct FromLatent {
  const T* z;
  const T* v;
  [[gnu::always_inline]] void look_ahead(std::int64_t) const {}
  [[gnu::always_inline]] Batch<T> potential(const TileWeights<T>& w, std::int64_t i, int rank) const {
    return drive_at(w, z, v, i, rank);
  }
};

template <class T>
struct Given {
  const T* x;
  [[gnu::always_inline]] void look_ahead(std::int64_t i) const { prefetch(x, 1, i); }
  [[gnu::always_inline]] Batch<T> potential(const TileWeights<T>&, std::int64_t i, int) const {
    return Batch<T>::load_aligned(x + i);
  }
};

/// Rate of batch i.
template <class Phi, class T, class Source>
[[gnu::always_inline]] inline Batch<T> rate_at(const TileWeights<T>& w, const Source& source, std::int64_t i,
                                               int rank) {
  source.look_ahead(i);
  for (int r = 0; r < rank; ++r) {
    prefetch(w.m + r * tile_size, rank, i);
    prefetch(w.n + r * tile_size, rank, i);
  }
  return Phi::rate(source.potential(w, i, rank), bias_at(w, i));
}

/// Arguments by value: what the compiler sees in locals it need not read again after each store.
template <int R, class Phi, class T, class Source>
void pass_in_registers(const TileWeights<T> w, const Source source, T* rates, T* sums) {
  std::array<Batch<T>, R> partial;
  partial.fill(Batch<T>(T(0)));
  for (std::int64_t i = 0; i < w.count; i += width<T>) {
    const Batch<T> rate = rate_at<Phi>(w, source, i, R);
    if (rates != nullptr) rate.store_aligned(rates + i);
    for (int r = 0; r < R; ++r) {
      auto& sum = partial[static_cast<std::size_t>(r)];
      sum = fused(Batch<T>::load_aligned(w.n + r * tile_size + i), rate, sum);
    }
  }
  for (int r = 0; r < R; ++r) sums[r] = sum_lanes(partial[static_cast<std::size_t>(r)]);
}

template <class T>
T dot(const T* a, const T* b, std::int64_t count) {
  Batch<T> sum(T(0));
  for (std::int64_t i = 0; i < count; i += width<T>)
    sum = fused(Batch<T>::load_aligned(a + i), Batch<T>::load_aligned(b + i), sum);
  return sum_lanes(sum);
}

template <class Phi, class T, class Source>
void pass_in_cache(const TileWeights<T> w, const Source source, T* rates, T* sums) {
  alignas(64) std::array<T, tile_size> buffer;
  T* out = rates != nullptr ? rates : buffer.data();
  for (std::int64_t i = 0; i < w.count; i += width<T>) rate_at<Phi>(w, source, i, w.rank).store_aligned(out + i);
  for (int r = 0; r < w.rank; ++r) sums[r] = dot(w.n + r * tile_size, out, w.count);
}

template <class T, class Source>
void pass(model::Activation activation, const TileWeights<T>& w, const Source& source, T* rates, T* sums) {
  model::with_activation(activation, [&](auto phi) {
    using Phi = decltype(phi);
    switch (w.rank) {
      case 1:
        return pass_in_registers<1, Phi>(w, source, rates, sums);
      case 2:
        return pass_in_registers<2, Phi>(w, source, rates, sums);
      case 3:
        return pass_in_registers<3, Phi>(w, source, rates, sums);
      case register_ranks:
        return pass_in_registers<register_ranks, Phi>(w, source, rates, sums);
      default:
        return pass_in_cache<Phi>(w, source, rates, sums);
    }
  });
}

}  // namespace kernels

template <class T>
TileWeights<T> tile_weights(const model::Network<T>& network, std::int64_t tile) {
  constexpr std::int64_t lanes = 16;
  const auto column = [tile](const model::NeuronArray<T>& array) {
    return array.columns() == 0 ? nullptr : array.tile(tile, 0);
  };
  return {.m = column(network.m),
          .n = column(network.n),
          .input_weights = column(network.input_weights),
          .bias = column(network.bias),
          .rank = network.rank,
          .inputs = network.inputs,
          .count = (network.partition.tile_count(tile) + lanes - 1) / lanes * lanes};
}

template <class T>
void step_tile(model::Activation activation, const TileWeights<T>& weights, const TileUpdate<T>& update, const T* kappa,
               const T* u, T* x, T* rates, T* sums) {
  kernels::pass(activation, weights, kernels::Stepped<T>{update, kappa, u, x}, rates, sums);
}

template <class T>
void latent_tile(model::Activation activation, const TileWeights<T>& weights, const T* z, const T* v, T* sums) {
  kernels::pass<T>(activation, weights, kernels::FromLatent<T>{z, v}, nullptr, sums);
}

template <class T>
void readout_tile(model::Activation activation, const TileWeights<T>& weights, const T* x, T* rates, T* sums) {
  kernels::pass(activation, weights, kernels::Given<T>{x}, rates, sums);
}

template <class T>
void drive_tile(const TileWeights<T>& weights, const T* kappa, const T* u, T* drive) {
  for (std::int64_t i = 0; i < weights.count; i += kernels::width<T>)
    kernels::drive_at(weights, kappa, u, i, weights.rank).store_aligned(drive + i);
}

template <class T>
T tile_dot(const T* a, const T* b, std::int64_t count) {
  return kernels::dot(a, b, count);
}

}  // namespace rankflow::simulate
