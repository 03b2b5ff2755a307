#include "smc/low_rank_step_instances.hpp"

namespace rankflow::smc {

template StepKernels<float> step_kernels<float, model::activation::Relu>(std::int64_t, std::int64_t);
template StepKernels<double> step_kernels<double, model::activation::Relu>(std::int64_t, std::int64_t);
template StepKernels<float> step_kernels<float, model::activation::ClippedRelu>(std::int64_t, std::int64_t);
template StepKernels<double> step_kernels<double, model::activation::ClippedRelu>(std::int64_t, std::int64_t);

}  // namespace rankflow::smc
