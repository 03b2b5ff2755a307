#include "flow/single_optimiser.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "model/fused_product.hpp"
#include "nn/lanes.hpp"
#include "nn/optimiser.hpp"

namespace rankflow::flow {
namespace {

using Single = xsimd::batch<float>;

Single single(double value) {
  return Single(static_cast<float>(value));
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

void SingleOptimiser::step(std::span<const float> gradient, double norm, double learning_rate) {
  ++steps_;
  const auto factors = nn::step_factors(options_, steps_, norm, learning_rate);
  const Single clip = single(factors.clip);
  const Single coupled_decay = single(factors.coupled_decay);
  const Single beta1 = single(options_.beta1);
  const Single beta2 = single(options_.beta2);
  const Single rest1 = single(1 - options_.beta1);
  const Single rest2 = single(1 - options_.beta2);
  // 1 - lost rounds to 1 in single precision for the usual rates and decays.
  const Single lost = single(1 - factors.kept);
  const Single mean_factor = single(factors.mean_factor);
  const Single root_factor = single(factors.root_factor);
  const Single epsilon = single(factors.epsilon);
  const double warming = static_cast<double>(steps_ + 1) / static_cast<double>(steps_ + 10);
  const Single fresh = single(1 - std::min(average_memory_, warming));
  const bool averaged = !average_.empty();
  nn::for_lanes<float>(std::ssize(parameters_), [&](auto lanes) {
    const Single value = lanes.load(parameters_.data());
    const Single slope = model::fused(clip, lanes.load(gradient.data()), coupled_decay * value);
    const Single mean = model::fused(beta1, lanes.load(means_.data()), rest1 * slope);
    const Single square = model::fused(beta2, lanes.load(squares_.data()), rest2 * slope * slope);
    lanes.store(means_.data(), mean);
    lanes.store(squares_.data(), square);
    Single change = mean_factor * mean;
    if (factors.adaptive) change /= model::fused(root_factor, xsimd::sqrt(square), epsilon);
    const Single next = value - model::fused(lost, value, change);
    lanes.store(parameters_.data(), next);
    if (!averaged) return;
    const Single average = lanes.load(average_.data());
    lanes.store(average_.data(), model::fused(fresh, next - average, average));
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
