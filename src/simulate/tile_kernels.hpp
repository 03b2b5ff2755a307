#pragma once
#include <cstdint>

#include "model/network.hpp"

namespace rankflow::simulate {

/// Pointers to one tile of a network's weights; column r of m lies at m + r tile_size. All 64-byte aligned.
template <class T>
struct TileWeights {
  const T* m = nullptr;              ///< [R]
  const T* n = nullptr;              ///< [R]
  const T* input_weights = nullptr;  ///< [I]; may be null when inputs is 0
  const T* bias = nullptr;           ///< null when all 0
  int rank = 0;
  int inputs = 0;
  /// Neurons to run over: those that exist, rounded up to whole SIMD registers (padding has zero weights).
  std::int64_t count = 0;
};

template <class T>
TileWeights<T> tile_weights(const model::Network<T>& network, std::int64_t tile);

/// x_i <- x_i + gain_i (drive_i - leak x_i) + noise_i: the form that Euler (gain = h/tau), exponential Euler
/// (gain = (1 - exp(-leak h/tau))/leak) and the map (gain = 1 - decay) share.
template <class T>
struct TileUpdate {
  T leak = 1;
  T gain = 0;                ///< used when gains is null
  const T* gains = nullptr;  ///< per neuron
  const T* extra = nullptr;  ///< added to the drive (random bulk), or null
  const T* noise = nullptr;  ///< added to x, already scaled, or null
};

/// One step of a tile, fused: drive = m kappa + b u (+ extra); x updated; rates phi(x, d) of the new potentials;
/// sums[r] = sum_i n_ir rates_i over the tile. `rates` may be null. No allocation.
template <class T>
void step_tile(model::Activation activation, const TileWeights<T>& weights, const TileUpdate<T>& update, const T* kappa,
               const T* u, T* x, T* rates, T* sums);

/// The latent form: sums[r] = sum_i n_ir phi(m_i . z + b_i . v, d_i).
template <class T>
void latent_tile(model::Activation activation, const TileWeights<T>& weights, const T* z, const T* v, T* sums);

/// sums[r] = sum_i n_ir phi(x_i, d_i); `rates` may be null.
template <class T>
void readout_tile(model::Activation activation, const TileWeights<T>& weights, const T* x, T* rates, T* sums);

/// drive[i] = m_i . kappa + b_i . u for the tile's neurons.
template <class T>
void drive_tile(const TileWeights<T>& weights, const T* kappa, const T* u, T* drive);

/// Sum over the tile of a[i] b[i] in the fixed order of SIMD lanes; `count` a multiple of 16.
template <class T>
T tile_dot(const T* a, const T* b, std::int64_t count);

}  // namespace rankflow::simulate
