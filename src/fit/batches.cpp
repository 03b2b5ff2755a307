#include "fit/batches.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/error.hpp"
#include "parallel/draws.hpp"

namespace rankflow::fit {
namespace {

/// What the numbers of one stream are for.
enum DrawIndex : std::uint32_t { order_index = 0, start_index = 1, validation_index = 2 };

/// 0 … count - 1 in random order.
std::vector<std::size_t> shuffled(std::size_t count, const parallel::Stream& stream, const parallel::Draw& draw) {
  std::vector<double> keys(count);
  parallel::uniform<double>(stream, draw, 0, keys);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  return order;
}

Split split_time(const DataSet& data, double fraction) {
  const auto length = data.lengths.front();
  const auto held_out = static_cast<std::int64_t>(std::floor(fraction * static_cast<double>(length)));
  if (held_out < 1 || held_out >= length)
    throw ConfigurationError(
        "training.validation_fraction = {} of a single trial of {} steps leaves {} to hold out; choose another share",
        fraction, length, held_out);
  return {.training = {{0, 0, length - held_out}}, .validation = {{0, length - held_out, held_out}}};
}

}  // namespace

Split split_data(const DataSet& data, double fraction, std::uint64_t seed) {
  Split split;
  if (fraction > 0 && data.trials == 1) return split_time(data, fraction);
  auto held_out = static_cast<std::int64_t>(std::floor(fraction * static_cast<double>(data.trials)));
  if (fraction > 0) held_out = std::max<std::int64_t>(held_out, 1);
  if (held_out >= data.trials)
    throw ConfigurationError("training.validation_fraction = {} of {} trials leaves none to learn from", fraction,
                             data.trials);
  const parallel::Stream stream(seed, parallel::Purpose::batch_choice);
  const auto order = shuffled(static_cast<std::size_t>(data.trials), stream, {.index = validation_index});
  std::vector<bool> is_held_out(order.size(), false);
  for (std::int64_t i = 0; i < held_out; ++i) is_held_out[order[static_cast<std::size_t>(i)]] = true;
  for (std::int64_t trial = 0; trial < data.trials; ++trial) {
    const auto index = static_cast<std::size_t>(trial);
    (is_held_out[index] ? split.validation : split.training).push_back({trial, 0, data.lengths[index]});
  }
  return split;
}

std::vector<Stretch> consecutive_windows(std::span<const Stretch> stretches, std::int64_t window) {
  std::vector<Stretch> windows;
  for (const auto& stretch : stretches)
    for (std::int64_t begin = 0; begin < stretch.length; begin += window)
      windows.push_back({stretch.trial, stretch.begin + begin, std::min(window, stretch.length - begin)});
  return windows;
}

BatchPlan::BatchPlan(std::vector<Stretch> stretches, std::int64_t batch_trials, std::int64_t window, std::uint64_t seed)
    : stretches_(std::move(stretches)), batch_trials_(batch_trials), window_(window), seed_(seed) {
  for (std::size_t s = 0; s < stretches_.size(); ++s)
    items_.insert(items_.end(), static_cast<std::size_t>(std::max<std::int64_t>(1, stretches_[s].length / window)), s);
  if (static_cast<std::int64_t>(items_.size()) < batch_trials)
    throw ConfigurationError(
        "training.batch_trials is {}, but the {} training trial(s) hold {} window(s) of {} steps; lower it, or "
        "training.validation_fraction",
        batch_trials, stretches_.size(), items_.size(), window);
}

std::int64_t BatchPlan::steps_per_pass() const noexcept {
  return static_cast<std::int64_t>(items_.size()) / batch_trials_;
}

/// Once for all steps of a pass: sorting a long recording's windows takes as long as a step of the fit.
void BatchPlan::shuffle(std::int64_t epoch, std::int64_t pass) {
  if (epoch == shuffled_epoch_ && pass == shuffled_pass_) return;
  shuffled_epoch_ = epoch;
  shuffled_pass_ = pass;
  const parallel::Stream stream(seed_, parallel::Purpose::batch_choice, static_cast<std::uint64_t>(epoch));
  order_ = shuffled(items_.size(), stream, {.step = static_cast<std::uint32_t>(pass), .index = order_index});
}

std::vector<Stretch> BatchPlan::windows(std::int64_t epoch, std::int64_t step) {
  const auto items = static_cast<std::int64_t>(items_.size());
  const parallel::Stream stream(seed_, parallel::Purpose::batch_choice, static_cast<std::uint64_t>(epoch));
  std::vector<double> starts(static_cast<std::size_t>(batch_trials_));
  parallel::uniform<double>(stream, {.step = static_cast<std::uint32_t>(step), .index = start_index}, 0, starts);
  std::vector<Stretch> chosen;
  for (std::int64_t slot = 0; slot < batch_trials_; ++slot) {
    const auto position = step * batch_trials_ + slot;
    shuffle(epoch, position / items);
    const auto& stretch = stretches_[items_[order_[static_cast<std::size_t>(position % items)]]];
    const auto length = std::min(window_, stretch.length);
    const auto places = static_cast<double>(stretch.length - length + 1);
    const auto start = static_cast<std::int64_t>(starts[static_cast<std::size_t>(slot)] * places);
    chosen.push_back({stretch.trial, stretch.begin + start, length});
  }
  return chosen;
}

Batch::Batch(std::int64_t trials, std::int64_t times, const DataSet& data)
    : data_(data),
      trials_(trials),
      times_(times),
      observations_(static_cast<std::size_t>(trials * times * data.channels)),
      inputs_(static_cast<std::size_t>(trials * times * data.inputs)),
      observed_(static_cast<std::size_t>(trials * times)) {}

void Batch::fill(std::span<const Stretch> windows) {
  if (static_cast<std::int64_t>(windows.size()) > trials_)
    throw InternalError("a batch of {} trials was given {} windows", trials_, windows.size());
  windows_.assign(windows.begin(), windows.end());
  std::ranges::fill(observations_, std::numeric_limits<double>::quiet_NaN());
  std::ranges::fill(inputs_, 0.0);
  std::ranges::fill(observed_, std::uint8_t{0});
  for (std::int64_t b = 0; b < static_cast<std::int64_t>(windows.size()); ++b) {
    const auto& window = windows[static_cast<std::size_t>(b)];
    const double* observed = data_.sample(window.trial, window.begin);
    std::copy_n(observed, window.length * data_.channels, observations_.begin() + b * times_ * data_.channels);
    std::copy_n(data_.input(window.trial, window.begin), window.length * data_.inputs,
                inputs_.begin() + b * times_ * data_.inputs);
    for (std::int64_t t = 0; t < window.length; ++t, observed += data_.channels)
      observed_[static_cast<std::size_t>(b * times_ + t)] =
          std::any_of(observed, observed + data_.channels, [](double x) { return !std::isnan(x); }) ? 1 : 0;
  }
  observed_steps_ = std::count(observed_.begin(), observed_.end(), 1);
}

smc::FilterData Batch::filter_data() const {
  return {.trials = trials_, .times = times_, .observations = observations_, .inputs = inputs_, .guides = {}};
}

std::string Batch::describe() const {
  std::string text;
  for (std::size_t b = 0; b < windows_.size(); ++b)
    text += fmt::format("{}{}: trial {} from step {}", b == 0 ? "" : ", ", b,
                        data_.trial_numbers[static_cast<std::size_t>(windows_[b].trial)], windows_[b].begin);
  return text;
}

}  // namespace rankflow::fit
