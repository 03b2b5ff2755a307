#include "smc/low_rank_step.hpp"

#include <cmath>

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

}  // namespace

template <class T>
void PreparedStep<T>::prepare(const StepWeights<T>& weights) {
  check_size("m", weights.m, weights.neurons * weights.states);
  check_size("n", weights.n, weights.neurons * weights.rank);
  check_size("bias", weights.bias, weights.neurons);
  weights_ = weights;
  signs_.clear();
  signed_n_.clear();
  clips_.clear();
  if (weights.activation != config::Activation::clipped_relu) return;
  const auto rank = static_cast<std::size_t>(weights.rank);
  for (std::size_t i = 0; i < weights.bias.size(); ++i) {
    const T d = weights.bias[i];
    const bool negative = d < 0;
    signs_.push_back(negative ? T(-1) : T(1));
    for (std::size_t r = 0; r < rank; ++r) signed_n_.push_back(signs_.back() * weights.n[i * rank + r]);
    const T width = std::abs(d);
    for (const T number : {negative ? T(0) : d, width, negative ? width : T(0)}) clips_.push_back(number);
  }
}

template <class T>
StepKernels<T> kernels_for(const PreparedStep<T>& weights) {
  return model::with_activation(
      weights.activation(), [&](auto phi) { return step_kernels<T, decltype(phi)>(weights.states(), weights.rank()); });
}

template <class T>
void check_adjoints(const PreparedStep<T>& weights, const StepWeightAdjoints<T>& adjoints) {
  check_size("m", adjoints.m, weights.neurons() * weights.states());
  check_size("n", adjoints.n, weights.neurons() * weights.rank());
  check_size("bias", adjoints.bias, weights.neurons());
}

void check_lanes(std::int64_t lanes) {
  if (lanes < 0 || lanes > block_lanes)
    throw InternalError("low-rank step: {} lanes; a block has 0 to {}", lanes, block_lanes);
}

template <class T>
void low_rank_step(const PreparedStep<T>& weights, const T* zeta, std::int64_t lanes, T* out) {
  check_lanes(lanes);
  kernels_for(weights).forward(weights, zeta, lanes, out);
}

template <class T>
void low_rank_step_adjoint(const PreparedStep<T>& weights, const T* zeta, const T* out_adjoint, std::int64_t lanes,
                           T* zeta_adjoint) {
  check_lanes(lanes);
  kernels_for(weights).adjoint(weights, zeta, out_adjoint, lanes, zeta_adjoint);
}

template <class T>
void low_rank_weight_adjoints(const PreparedStep<T>& weights, std::span<const StepRecord<T>> records,
                              const StepWeightAdjoints<T>& adjoints) {
  for (const auto& record : records) check_lanes(record.lanes);
  check_adjoints(weights, adjoints);
  kernels_for(weights).weight_adjoints(weights, records, adjoints);
}

template class PreparedStep<float>;
template class PreparedStep<double>;
template StepKernels<float> kernels_for(const PreparedStep<float>&);
template StepKernels<double> kernels_for(const PreparedStep<double>&);
template void check_adjoints(const PreparedStep<float>&, const StepWeightAdjoints<float>&);
template void check_adjoints(const PreparedStep<double>&, const StepWeightAdjoints<double>&);
template void low_rank_step(const PreparedStep<float>&, const float*, std::int64_t, float*);
template void low_rank_step(const PreparedStep<double>&, const double*, std::int64_t, double*);
template void low_rank_step_adjoint(const PreparedStep<float>&, const float*, const float*, std::int64_t, float*);
template void low_rank_step_adjoint(const PreparedStep<double>&, const double*, const double*, std::int64_t, double*);
template void low_rank_weight_adjoints(const PreparedStep<float>&, std::span<const StepRecord<float>>,
                                       const StepWeightAdjoints<float>&);
template void low_rank_weight_adjoints(const PreparedStep<double>&, std::span<const StepRecord<double>>,
                                       const StepWeightAdjoints<double>&);

}  // namespace rankflow::smc
