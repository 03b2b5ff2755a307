#include "flow/single_optimiser.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/error.hpp"
#include "model/fused_product.hpp"
#include "nn/lanes.hpp"

namespace rankflow::flow {
namespace {

using Single = xsimd::batch<float>;

Single single(double value) {
  return Single(static_cast<float>(value));
}

/// Within 2 units of the last place, for x >= 0; numbers below the smallest normal one count as 0. The processor's own
/// root takes longer than all the rest of a step.
Single square_root(const Single& x) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<Single::arch_type, xsimd::default_arch> && Single::size == 16) {
    const Single guess = _mm512_rsqrt14_ps(x + Single(std::numeric_limits<float>::min()));
    const Single corrected = guess * model::fused_minus(Single(0.5F) * x, guess * guess, Single(1.5F));
    return x * corrected;
  }
#endif
  return xsimd::sqrt(x);
}

}  // namespace

SingleOptimiser::SingleOptimiser(const config::OptimiserOptions& options, double average_memory,
                                 std::span<const double> parameters)
    : options_(options), average_memory_(average_memory) {
  parameters_.resize(parameters.size());
  std::ranges::transform(parameters, parameters_.begin(), [](double value) { return static_cast<float>(value); });
  means_.assign(parameters.size(), 0.0F);
  squares_.assign(parameters.size(), 0.0F);
  if (average_memory > 0) average_ = parameters_;
}

void SingleOptimiser::begin_step(double norm, double learning_rate) {
  ++steps_;
  factors_ = nn::step_factors(options_, steps_, norm, learning_rate);
  const double warming = static_cast<double>(steps_ + 1) / static_cast<double>(steps_ + 10);
  average_gain_ = 1 - std::min(average_memory_, warming);
}

void SingleOptimiser::update(std::span<const float> gradient, std::int64_t begin, std::int64_t end) {
  const Single clip = single(factors_.clip);
  const Single coupled_decay = single(factors_.coupled_decay);
  const Single beta1 = single(options_.beta1);
  const Single beta2 = single(options_.beta2);
  const Single rest1 = single(1 - options_.beta1);
  const Single rest2 = single(1 - options_.beta2);
  // 1 - lost rounds to 1 in single precision for the usual rates and decays.
  const Single lost = single(1 - factors_.kept);
  const Single mean_factor = single(factors_.mean_factor);
  const Single root_factor = single(factors_.root_factor);
  const Single epsilon = single(factors_.epsilon);
  const Single gain = single(average_gain_);
  const float* const slopes = gradient.data() + begin;
  float* const parameters = parameters_.data() + begin;
  float* const means = means_.data() + begin;
  float* const squares = squares_.data() + begin;
  float* const averages = average_.empty() ? nullptr : average_.data() + begin;
  const bool adaptive = factors_.adaptive;
  nn::for_lanes<float>(end - begin, [&](auto lanes) {
    const Single value = lanes.load(parameters);
    const Single slope = model::fused(clip, lanes.load(slopes), coupled_decay * value);
    const Single mean = model::fused(beta1, lanes.load(means), rest1 * slope);
    const Single square = model::fused(beta2, lanes.load(squares), rest2 * slope * slope);
    lanes.store(means, mean);
    lanes.store(squares, square);
    Single change = mean_factor * mean;
    if (adaptive) change /= model::fused(root_factor, square_root(square), epsilon);
    const Single next = value - model::fused(lost, value, change);
    lanes.store(parameters, next);
    if (averages == nullptr) return;
    const Single average = lanes.load(averages);
    lanes.store(averages, model::fused(gain, next - average, average));
  });
}

void SingleOptimiser::save(std::span<double> state) const {
  auto out = state.begin();
  for (const auto* part : {&parameters_, &means_, &squares_, &average_}) out = std::ranges::copy(*part, out).out;
}

void SingleOptimiser::restore(std::int64_t steps, std::span<const double> state) {
  if (state.size() != state_size() || steps < 0)
    throw InternalError("a training with {} state numbers was given {} after {} steps", state_size(), state.size(),
                        steps);
  steps_ = steps;
  auto next = state.begin();
  for (auto* part : {&parameters_, &means_, &squares_, &average_})
    for (auto& value : *part) value = static_cast<float>(*next++);
}

double norm(std::span<const float> vector) {
  Single squares(0.0F);
  nn::for_lanes<float>(std::ssize(vector), [&](auto lanes) {
    const Single value = lanes.load(vector.data());
    squares = model::fused(value, value, squares);
  });
  return std::sqrt(static_cast<double>(xsimd::hadd(squares)));
}

}  // namespace rankflow::flow
