#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "config/network_options.hpp"

/// The fused low-rank step over a block of particles and its adjoints, particles in the SIMD lane.
/// The N rates are never stored: the adjoints recompute them.
namespace rankflow::smc {

/// Lanes of a block: a row of a state is this many numbers, aligned to 64 bytes.
inline constexpr std::int64_t block_lanes = 64;
/// The same, where it stands in every line.
inline constexpr std::int64_t L = block_lanes;
/// One number for each lane.
template <class T>
struct alignas(64) LaneRow : std::array<T, block_lanes> {};

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

/// Weights as the kernels read them, made once for many steps. For clipped ReLU a bias d becomes
///   relu(x + d) - relu(x) = sign clamp(x + offset, 0, width),  sign = d < 0 ? -1 : 1, offset = max(d, 0), width = |d|
/// with the sign moved to n: an addition, a comparison and a maximum less for every neuron and particle.
template <class T>
class PreparedStep {
 public:
  PreparedStep() = default;
  /// InternalError for arrays that do not have the sizes the weights name.
  explicit PreparedStep(const StepWeights<T>& weights) { prepare(weights); }
  /// The arrays of m, and of n and bias but for clipped ReLU, must stay as they are while this is used. Allocates
  /// nothing the second time.
  void prepare(const StepWeights<T>& weights);

  std::int64_t neurons() const noexcept { return weights_.neurons; }
  std::int64_t states() const noexcept { return weights_.states; }
  std::int64_t rank() const noexcept { return weights_.rank; }
  config::Activation activation() const noexcept { return weights_.activation; }
  const T* m() const noexcept { return weights_.m.data(); }
  /// With the signs.
  const T* n() const noexcept { return signs_.empty() ? weights_.n.data() : signed_n_.data(); }
  /// d, or offset, width and the level beyond which the rate follows d: [N, 3].
  const T* bias() const noexcept { return signs_.empty() ? weights_.bias.data() : clips_.data(); }
  /// Factor of the adjoints of neuron i's n and bias that the kernels give.
  T sign(std::int64_t i) const noexcept { return signs_.empty() ? T(1) : signs_[static_cast<std::size_t>(i)]; }

 private:
  StepWeights<T> weights_;
  std::vector<T> signs_, signed_n_, clips_;
};

/// out[R][lanes] = the step of zeta[Q][lanes]. The first `lanes` <= block_lanes lanes are computed, rounded up to whole
/// SIMD vectors; what the lanes beyond hold must be finite.
template <class T>
void low_rank_step(const PreparedStep<T>& weights, const T* zeta, std::int64_t lanes, T* out);

/// zeta_adjoint[Q][lanes] += (d out / d zeta)^T out_adjoint.
template <class T>
void low_rank_step_adjoint(const PreparedStep<T>& weights, const T* zeta, const T* out_adjoint, std::int64_t lanes,
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
void low_rank_weight_adjoints(const PreparedStep<T>& weights, std::span<const StepRecord<T>> records,
                              const StepWeightAdjoints<T>& adjoints);

}  // namespace rankflow::smc
