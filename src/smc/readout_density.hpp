#pragma once
#include <cstdint>

#include "config/latent_model_options.hpp"
#include "smc/low_rank_step.hpp"

/// log p(x | z) at the particles of a block, up to terms that are the same for all particles, and its adjoint.
namespace rankflow::smc {

/// s_c = weights zeta + bias (latents and currents), or scale phi(weights zeta, neuron_bias) + bias (rates);
/// mean = link(s). Row-major.
template <class T>
struct Readout {
  config::ObservationKind kind = config::ObservationKind::gaussian;
  config::Link link = config::Link::identity;
  bool rates = false;
  config::Activation activation = config::Activation::tanh;
  std::int64_t channels = 0;       ///< D
  std::int64_t states = 0;         ///< Q
  const T* weights = nullptr;      ///< [D, Q]
  const T* neuron_bias = nullptr;  ///< [D], rates
  const T* scale = nullptr;        ///< [D], rates
  const T* bias = nullptr;         ///< [D]
  const T* precision = nullptr;    ///< [D], 1 / variance, Gaussian
};

/// Adjoints of the same quantities; added.
struct ReadoutAdjoint {
  double* weights = nullptr;
  double* neuron_bias = nullptr;
  double* scale = nullptr;
  double* bias = nullptr;
  double* precision = nullptr;
};

/// log_density[lane] += sum over channels of -(x - mean)^2 precision / 2, or x log(mean) - mean.
/// x: [D][block_lanes], NaN where not observed. Lanes are computed in whole SIMD vectors.
template <class T>
void add_readout_density(const Readout<T>& readout, const T* zeta, const T* x, std::int64_t lanes, double* log_density);

/// mean[D][block_lanes] of the observations.
template <class T>
void readout_mean(const Readout<T>& readout, const T* zeta, std::int64_t lanes, T* mean);

/// density_adjoint[lane]: 0 beyond `lanes`. zeta_adjoint [Q][block_lanes] is added to.
template <class T>
void readout_density_adjoint(const Readout<T>& readout, const T* zeta, const T* x, const T* density_adjoint,
                             std::int64_t lanes, T* zeta_adjoint, const ReadoutAdjoint& adjoint);

}  // namespace rankflow::smc
