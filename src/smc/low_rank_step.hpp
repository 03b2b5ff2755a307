#pragma once
#include <cstdint>
#include <span>

#include "config/network_options.hpp"

/// The fused low-rank step over a block of particles and its adjoints, particles in the SIMD lane.
/// The N rates are never stored: the adjoints recompute them.
namespace rankflow::smc {

/// Lanes of a block: a row of a state is this many numbers, aligned to 64 bytes.
inline constexpr std::int64_t block_lanes = 64;

/// Weights of out_r = sum_i n_ir phi(sum_q m_iq zeta_q, d_i), row-major. zeta stacks latents and inputs: [z; v],
/// so that m holds [m b] (Q = R + I columns).
template <class T>
struct StepWeights {
  config::Activation activation = config::Activation::tanh;
  std::int64_t neurons = 0;  ///< N
  std::int64_t states = 0;   ///< Q
  std::int64_t rank = 0;     ///< R
  std::span<const T> m;      ///< [N, Q]
  std::span<const T> n;      ///< [N, R]
  std::span<const T> bias;   ///< [N]
};

/// Adjoints of the weights, same shapes; results are added.
template <class T>
struct StepWeightAdjoints {
  std::span<T> m, n, bias;
};

/// out[R][lanes] = the step of zeta[Q][lanes]. The first `lanes` <= block_lanes lanes are computed, rounded up to whole
/// SIMD vectors; what the lanes beyond hold must be finite.
template <class T>
void low_rank_step(const StepWeights<T>& weights, const T* zeta, std::int64_t lanes, T* out);

/// zeta_adjoint[Q][lanes] += (d out / d zeta)^T out_adjoint.
template <class T>
void low_rank_step_adjoint(const StepWeights<T>& weights, const T* zeta, const T* out_adjoint, std::int64_t lanes,
                           T* zeta_adjoint);

/// One application of the step, for the adjoints of the weights.
template <class T>
struct StepRecord {
  const T* zeta = nullptr;         ///< [Q][block_lanes]
  const T* out_adjoint = nullptr;  ///< [R][block_lanes]
  std::int64_t lanes = 0;          ///< lanes beyond these do not count
};

/// Adds the adjoints of the weights over many applications (time steps of one block) in the order given: registers
/// hold the sums of a few neurons while all records pass, lanes are added at the end.
template <class T>
void low_rank_weight_adjoints(const StepWeights<T>& weights, std::span<const StepRecord<T>> records,
                              const StepWeightAdjoints<T>& adjoints);

}  // namespace rankflow::smc
