#include "model/input_signal_samples.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.hpp"

namespace rankflow::model {
namespace {

void check_shape(const std::vector<std::int64_t>& shape, std::int64_t trials, const std::string& where) {
  if (shape.empty() || shape.size() > 3)
    throw InputDataError("{} has shape {}: needed is [time], [time, input] or [trial, time, input]", where,
                         shape_text(shape));
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    throw InputDataError("{} has shape {}: it holds no sample", where, shape_text(shape));
  if (shape.size() == 3 && shape[0] != 1 && shape[0] < trials)
    throw InputDataError(
        "{} has {} trials, but time.trials is {}: give at least as many, or exactly one that serves all trials", where,
        shape[0], trials);
}

}  // namespace

std::int64_t SampledSignal::inputs_of(const std::vector<std::int64_t>& shape) {
  return shape.size() < 2 ? 1 : shape.back();
}

SampledSignal::SampledSignal(const config::InputOptions& options, std::size_t index, std::int64_t trials,
                             const TimeGrid& grid)
    : InputSignal(options, grid), interval_(options.interval.value_or(grid.step())) {
  const auto key = input_key(index, "array");
  auto array = read_small_array(options.array, key);
  check_shape(array.shape, trials, describe_source(options.array, key));
  columns_ = static_cast<int>(inputs_of(array.shape));
  trials_ = array.shape.size() == 3 ? array.shape[0] : 1;
  samples_ = array.shape.size() == 3 ? array.shape[1] : array.shape[0];
  values_ = std::move(array.values);
  silence_.resize(static_cast<std::size_t>(columns_));
}

double SampledSignal::time(std::int64_t j) const noexcept {
  return grid().snap(start() + static_cast<double>(j) * interval_);
}

std::int64_t SampledSignal::sample_at(double t) const noexcept {
  // Bounded before the conversion: t / interval may exceed what an integer holds.
  const double about = std::min((t - start()) / interval_, static_cast<double>(samples_));
  auto j = static_cast<std::int64_t>(about);
  while (j > 0 && time(j) > t) --j;
  while (j < samples_ && time(j + 1) <= t) ++j;
  return j;
}

std::span<const double> SampledSignal::sample(std::int64_t trial, std::int64_t j) const {
  if (j >= samples_) return silence_;
  const std::int64_t row = (trials_ == 1 ? 0 : trial) * samples_ + j;
  return std::span(values_).subspan(static_cast<std::size_t>(row * columns_), static_cast<std::size_t>(columns_));
}

void SampledSignal::add_inside(std::int64_t trial, double t, std::span<double> driven) {
  const auto held = sample(trial, sample_at(t));
  const double factor = amplitude(trial);
  for (std::size_t c = 0; c < held.size(); ++c) driven[c] += factor * held[c];
}

double SampledSignal::next_jump_inside(std::int64_t trial, double t) const {
  std::int64_t j = sample_at(t);
  const auto now = sample(trial, j);
  while (++j <= samples_) {
    if (!std::ranges::equal(now, sample(trial, j))) return time(j);
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace rankflow::model
