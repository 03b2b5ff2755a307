#include "smc/low_rank_step_instances.hpp"

namespace rankflow::smc {

template StepKernels<float> step_kernels<float, model::activation::Tanh>(std::int64_t, std::int64_t);
template StepKernels<double> step_kernels<double, model::activation::Tanh>(std::int64_t, std::int64_t);
template StepKernels<float> step_kernels<float, model::activation::Sigmoid>(std::int64_t, std::int64_t);
template StepKernels<double> step_kernels<double, model::activation::Sigmoid>(std::int64_t, std::int64_t);
template StepKernels<float> step_kernels<float, model::activation::Softplus>(std::int64_t, std::int64_t);
template StepKernels<double> step_kernels<double, model::activation::Softplus>(std::int64_t, std::int64_t);
template StepKernels<float> step_kernels<float, model::activation::Erf>(std::int64_t, std::int64_t);
template StepKernels<double> step_kernels<double, model::activation::Erf>(std::int64_t, std::int64_t);
template StepKernels<float> step_kernels<float, model::activation::Identity>(std::int64_t, std::int64_t);
template StepKernels<double> step_kernels<double, model::activation::Identity>(std::int64_t, std::int64_t);

}  // namespace rankflow::smc
