#include "smc/low_rank_step.hpp"

#include "core/error.hpp"
#include "model/activation.hpp"
#include "smc/low_rank_step_kernels.hpp"

namespace rankflow::smc {
namespace {

template <class Array>
void check_size(const char* name, const Array& array, std::int64_t expected) {
  if (static_cast<std::int64_t>(array.size()) != expected)
    throw InternalError("low-rank step: {} has {} numbers, but the sizes of its weights say {}", name, array.size(),
                        expected);
}

/// Of weights or their adjoints.
template <class Arrays, class T>
void check_sizes(const Arrays& arrays, const StepWeights<T>& weights) {
  check_size("m", arrays.m, weights.neurons * weights.states);
  check_size("n", arrays.n, weights.neurons * weights.rank);
  check_size("bias", arrays.bias, weights.neurons);
}

}  // namespace

template <class T>
StepKernels<T> kernels_for(const StepWeights<T>& weights) {
  check_sizes(weights, weights);
  return model::with_activation(weights.activation,
                                [&](auto phi) { return step_kernels<T, decltype(phi)>(weights.states, weights.rank); });
}

template <class T>
void check_adjoints(const StepWeights<T>& weights, const StepWeightAdjoints<T>& adjoints) {
  check_sizes(adjoints, weights);
}

void check_lanes(std::int64_t lanes) {
  if (lanes < 0 || lanes > block_lanes)
    throw InternalError("low-rank step: {} lanes; a block has 0 to {}", lanes, block_lanes);
}

template <class T>
void low_rank_step(const StepWeights<T>& weights, const T* zeta, std::int64_t lanes, T* out) {
  check_lanes(lanes);
  kernels_for(weights).forward(weights, zeta, lanes, out);
}

template <class T>
void low_rank_step_adjoint(const StepWeights<T>& weights, const T* zeta, const T* out_adjoint, std::int64_t lanes,
                           T* zeta_adjoint) {
  check_lanes(lanes);
  kernels_for(weights).adjoint(weights, zeta, out_adjoint, lanes, zeta_adjoint);
}

template <class T>
void low_rank_weight_adjoints(const StepWeights<T>& weights, std::span<const StepRecord<T>> records,
                              const StepWeightAdjoints<T>& adjoints) {
  for (const auto& record : records) check_lanes(record.lanes);
  check_adjoints(weights, adjoints);
  kernels_for(weights).weight_adjoints(weights, records, adjoints);
}

template StepKernels<float> kernels_for(const StepWeights<float>&);
template StepKernels<double> kernels_for(const StepWeights<double>&);
template void check_adjoints(const StepWeights<float>&, const StepWeightAdjoints<float>&);
template void check_adjoints(const StepWeights<double>&, const StepWeightAdjoints<double>&);
template void low_rank_step(const StepWeights<float>&, const float*, std::int64_t, float*);
template void low_rank_step(const StepWeights<double>&, const double*, std::int64_t, double*);
template void low_rank_step_adjoint(const StepWeights<float>&, const float*, const float*, std::int64_t, float*);
template void low_rank_step_adjoint(const StepWeights<double>&, const double*, const double*, std::int64_t, double*);
template void low_rank_weight_adjoints(const StepWeights<float>&, std::span<const StepRecord<float>>,
                                       const StepWeightAdjoints<float>&);
template void low_rank_weight_adjoints(const StepWeights<double>&, std::span<const StepRecord<double>>,
                                       const StepWeightAdjoints<double>&);

}  // namespace rankflow::smc
