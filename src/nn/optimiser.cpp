#include "nn/optimiser.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "nn/lanes.hpp"

namespace rankflow::nn {
namespace {

using Batch = xsimd::batch<double>;

/// Added to a norm that is divided by, as PyTorch does.
constexpr double norm_guard = 1e-6;
/// RAdam trusts the mean square from this length of its memory on (PyTorch's choice; the paper's is 4).
constexpr double trusted_length = 5.0;

/// sqrt of the variance rectification of RAdam (Liu et al. 2020, algorithm 2), or 0 while its memory is too short.
double rectification(double beta2, double beta2_power, std::int64_t step) {
  const double longest = 2 / (1 - beta2) - 1;
  const double length = longest - 2 * static_cast<double>(step) * beta2_power / (1 - beta2_power);
  if (length <= trusted_length) return 0;
  return std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
}

}  // namespace

double norm_over(std::span<const double> vector, std::span<const ParameterRange> ranges) {
  double sum = 0;
  for (const auto& range : ranges) {
    Batch squares(0.0);
    for_lanes<double>(range.end - range.begin, [&](auto lanes) {
      const Batch value = lanes.load(vector.data() + range.begin);
      squares += value * value;
    });
    sum += xsimd::hadd(squares);
  }
  return std::sqrt(sum);
}

StepFactors step_factors(const config::OptimiserOptions& options, std::int64_t step, double norm,
                         double learning_rate) {
  const double clip = options.clip_norm > 0 ? std::min(1.0, options.clip_norm / (norm + norm_guard)) : 1.0;
  const auto power = [&](double base) { return std::pow(base, static_cast<double>(step)); };
  const double mean_factor = learning_rate / (1 - power(options.beta1));
  const double root = std::sqrt(1 - power(options.beta2));
  StepFactors all{clip, options.weight_decay, 1.0, mean_factor, true, 1 / root, 1e-8};
  switch (options.kind) {
    case config::OptimiserKind::adam:
      break;
    case config::OptimiserKind::adamw:
      all.coupled_decay = 0;
      all.kept = 1 - learning_rate * options.weight_decay;
      break;
    case config::OptimiserKind::radam: {
      const double rectified = rectification(options.beta2, power(options.beta2), step);
      all.adaptive = rectified > 0;
      all.root_factor = 1;
      if (all.adaptive) all.mean_factor *= rectified * root;
      break;
    }
  }
  return all;
}

Optimiser::Optimiser(const config::OptimiserOptions& options, std::int64_t total, std::vector<ParameterRange> trainable)
    : options_(options),
      total_(total),
      trainable_(std::move(trainable)),
      state_(static_cast<std::size_t>(2 * total), 0.0) {
  for (const auto& range : trainable_)
    if (range.begin < 0 || range.begin > range.end || range.end > total)
      throw InternalError("an optimiser of {} parameters trains {} to {}", total, range.begin, range.end);
}

void Optimiser::update(std::span<double> parameters, std::span<const double> gradient, const ParameterRange& range,
                       const StepFactors& factors) {
  double* const mean = state_.data() + range.begin;
  double* const square = state_.data() + total_ + range.begin;
  double* const parameter = parameters.data() + range.begin;
  const Batch beta1(options_.beta1);
  const Batch beta2(options_.beta2);
  const Batch one(1.0);
  for_lanes<double>(range.end - range.begin, [&](auto lanes) {
    Batch value = lanes.load(parameter);
    const Batch slope =
        Batch(factors.clip) * lanes.load(gradient.data() + range.begin) + Batch(factors.coupled_decay) * value;
    const Batch new_mean = beta1 * lanes.load(mean) + (one - beta1) * slope;
    const Batch new_square = beta2 * lanes.load(square) + (one - beta2) * slope * slope;
    lanes.store(mean, new_mean);
    lanes.store(square, new_square);
    Batch change = Batch(factors.mean_factor) * new_mean;
    if (factors.adaptive) change /= Batch(factors.root_factor) * xsimd::sqrt(new_square) + Batch(factors.epsilon);
    lanes.store(parameter, Batch(factors.kept) * value - change);
  });
}

double Optimiser::step(std::span<double> parameters, std::span<const double> gradient, double learning_rate) {
  if (std::cmp_not_equal(parameters.size(), total_) || std::cmp_not_equal(gradient.size(), total_))
    throw InternalError("an optimiser of {} parameters was given {} and a gradient of {}", total_, parameters.size(),
                        gradient.size());
  const double norm = norm_over(gradient, trainable_);
  if (!std::isfinite(norm)) return norm;
  ++steps_;
  const auto numbers = step_factors(options_, steps_, norm, learning_rate);
  for (const auto& range : trainable_) update(parameters, gradient, range, numbers);
  return norm;
}

void Optimiser::restore(std::int64_t steps, std::span<const double> state) {
  if (state.size() != state_.size() || steps < 0)
    throw InternalError("an optimiser of {} state numbers was given {} after {} steps", state_.size(), state.size(),
                        steps);
  steps_ = steps;
  std::ranges::copy(state, state_.begin());
}

}  // namespace rankflow::nn
