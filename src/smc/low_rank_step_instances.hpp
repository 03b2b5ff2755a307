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
  return {&StateKernels<T, Phi, Q, R>::forward, &StateKernels<T, Phi, Q, R>::adjoint, &WeightKernels<T, Phi, Q, R>::add,
          &BothKernels<T, Phi, Q, R>::add};
}

/// Those compiled for R latents with up to `inputs` inputs, or none.
template <class T, class Phi, int R, int inputs>
bool find_sized(std::int64_t states, std::int64_t rank, StepKernels<T>& found) {
  if (rank != R) return false;
  if (states == R + inputs) {
    found = kernels_of<T, Phi, R + inputs, R>();
    return true;
  }
  if constexpr (inputs > 0) return find_sized<T, Phi, R, inputs - 1>(states, rank, found);
  return false;
}

/// Where the activation costs little, knowing the sizes saves a third of the time.
template <class Phi>
inline constexpr bool is_piecewise = false;
template <>
inline constexpr bool is_piecewise<model::activation::Relu> = true;
template <>
inline constexpr bool is_piecewise<model::activation::ClippedRelu> = true;

template <class T, class Phi>
StepKernels<T> step_kernels(std::int64_t states, std::int64_t rank) {
  StepKernels<T> found = kernels_of<T, Phi, 0, 0>();
  if constexpr (is_piecewise<Phi>) {
    constexpr int inputs = std::is_same_v<T, float> ? 2 : 0;  // single precision is what networks are trained in
    find_sized<T, Phi, 1, inputs>(states, rank, found) || find_sized<T, Phi, 2, inputs>(states, rank, found) ||
        find_sized<T, Phi, 3, inputs>(states, rank, found) || find_sized<T, Phi, 4, 0>(states, rank, found);
  }
  return found;
}

}  // namespace rankflow::smc
