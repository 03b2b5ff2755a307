#pragma once
#include <cstdint>
#include <span>

#include "smc/low_rank_step.hpp"

/// The compiled kernels behind low_rank_step.hpp.
namespace rankflow::smc {

template <class T>
struct StepKernels {
  void (*forward)(const PreparedStep<T>&, const T* zeta, std::int64_t lanes, T* out);
  void (*adjoint)(const PreparedStep<T>&, const T* zeta, const T* out_adjoint, std::int64_t lanes, T* zeta_adjoint);
  void (*weight_adjoints)(const PreparedStep<T>&, std::span<const StepRecord<T>>, const StepWeightAdjoints<T>&);
  /// adjoint and weight_adjoints of one application at once. Adds a neuron's weight adjoints to its vectors in `sums`
  /// [N][Q + R + 1][vector]: of m, n, bias, the latter two without PreparedStep::sign(). Q and R at most row_limit.
  void (*both)(const PreparedStep<T>&, const StepRecord<T>&, T* zeta_adjoint, T* sums);
};

/// Kernels of the activation Phi compiled for Q = states and R = rank where there are such, otherwise (also for 0, 0)
/// those that take any sizes. They differ in speed, not in bits.
template <class T, class Phi>
StepKernels<T> step_kernels(std::int64_t states, std::int64_t rank);

/// The kernels for these weights. InternalError below: arrays that do not have the sizes the weights name, more lanes
/// than a block has.
template <class T>
StepKernels<T> kernels_for(const PreparedStep<T>& weights);
template <class T>
void check_adjoints(const PreparedStep<T>& weights, const StepWeightAdjoints<T>& adjoints);
void check_lanes(std::int64_t lanes);

}  // namespace rankflow::smc
