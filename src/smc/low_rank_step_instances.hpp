#pragma once
#include "smc/low_rank_step_both.hpp"
#include "smc/low_rank_step_kernels.hpp"
#include "smc/low_rank_step_states.hpp"
#include "smc/low_rank_step_weights.hpp"

/// Defines step_kernels: included by the files that instantiate it for some activations each, so that they compile side
/// by side.
namespace rankflow::smc {

template <class T, class Phi, int Q, int R>
StepKernels<T> kernels_of() {
  StepKernels<T> kernels{&StateKernels<T, Phi, Q, R>::forward, &StateKernels<T, Phi, Q, R>::adjoint,
                         &WeightKernels<T, Phi, Q, R>::add, nullptr};
  if constexpr (Q > 0) kernels.both = &BothKernels<T, Phi, Q, R>::add;
  return kernels;
}

template <class T, class Phi>
StepKernels<T> step_kernels(std::int64_t states, std::int64_t rank) {
  if (states == rank) {
    if (rank == 1) return kernels_of<T, Phi, 1, 1>();
    if (rank == 2) return kernels_of<T, Phi, 2, 2>();
    if (rank == 3) return kernels_of<T, Phi, 3, 3>();
    if (rank == 4) return kernels_of<T, Phi, 4, 4>();
  }
  return kernels_of<T, Phi, 0, 0>();
}

}  // namespace rankflow::smc
