#include "fit/training_state.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.hpp"

namespace rankflow::fit {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// Name and content of every vector of the state.
template <class State>
auto vectors(State& state) {
  auto& curves = state.curves;
  return std::to_array<std::pair<const char*, decltype(&state.best)>>({{"parameters", &state.now.parameters},
                                                                       {"optimiser", &state.now.optimiser_state},
                                                                       {"good_parameters", &state.good.parameters},
                                                                       {"good_optimiser", &state.good.optimiser_state},
                                                                       {"best", &state.best},
                                                                       {"training", &curves.training},
                                                                       {"validation", &curves.validation},
                                                                       {"learning_rate", &curves.learning_rate},
                                                                       {"sample_size", &curves.sample_size},
                                                                       {"gradient_norm", &curves.gradient_norm},
                                                                       {"epoch_seconds", &curves.seconds}});
}

template <class State>
auto counters(State& state) {
  return std::to_array<decltype(&state.epoch)>({&state.epoch, &state.step, &state.now.optimiser_steps,
                                                &state.good.optimiser_steps, &state.good_epoch, &state.setbacks,
                                                &state.sum.steps, &state.best_epoch, &state.judgements_without_better});
}

template <class State>
auto numbers(State& state) {
  return std::to_array<decltype(&state.seconds)>({&state.rate_factor, &state.sum.log_likelihood, &state.sum.sample_size,
                                                  &state.gradient_norm, &state.seconds, &state.best_score});
}

template <class T>
std::vector<T> read(const io::CheckpointReader& checkpoint, const char* name, std::size_t size) {
  auto values = checkpoint.values<T>(name);
  if (values.size() != size)
    throw InputDataError("the checkpoint holds {} numbers of '{}', this fit has {}", values.size(), name, size);
  return values;
}

}  // namespace

LearningCurves::LearningCurves(std::int64_t epochs) {
  for (auto* curve : {&training, &validation, &learning_rate, &sample_size, &gradient_norm, &seconds})
    curve->assign(static_cast<std::size_t>(epochs) + 1, none);
}

void LearningCurves::forget_after(std::int64_t epoch) {
  for (auto* curve : {&training, &validation, &learning_rate, &sample_size, &gradient_norm, &seconds})
    std::fill(curve->begin() + epoch + 1, curve->end(), none);
}

TrainingState::TrainingState(std::vector<double> start, std::int64_t epochs)
    : now{.parameters = std::move(start),
          .optimiser_steps = 0,
          .optimiser_state = std::vector<double>(2 * now.parameters.size(), 0.0)},
      good(now),
      best(now.parameters),
      best_score(-std::numeric_limits<double>::infinity()),
      curves(epochs) {}

void TrainingState::save(io::CheckpointWriter& checkpoint) const {
  for (const auto& [name, values] : vectors(*this)) checkpoint.values<double>(name, *values);
  std::vector<std::int64_t> whole{finished ? 1 : 0};
  for (const auto* counter : counters(*this)) whole.push_back(*counter);
  checkpoint.values<std::int64_t>("counters", whole);
  std::vector<double> real;
  for (const auto* number : numbers(*this)) real.push_back(*number);
  checkpoint.values<double>("numbers", real);
}

void TrainingState::resume(const io::CheckpointReader& checkpoint) {
  for (const auto& [name, values] : vectors(*this)) *values = read<double>(checkpoint, name, values->size());
  const auto whole_targets = counters(*this);
  const auto whole = read<std::int64_t>(checkpoint, "counters", whole_targets.size() + 1);
  finished = whole[0] != 0;
  for (std::size_t i = 0; i < whole_targets.size(); ++i) *whole_targets[i] = whole[i + 1];
  const auto real_targets = numbers(*this);
  const auto real = read<double>(checkpoint, "numbers", real_targets.size());
  for (std::size_t i = 0; i < real_targets.size(); ++i) *real_targets[i] = real[i];
}

}  // namespace rankflow::fit
