#include "model/input_signal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "model/input_signal_random.hpp"
#include "model/input_signal_samples.hpp"

namespace rankflow::model {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// Constant, pulse and step: they differ in their window only.
class Plateau final : public InputSignal {
 public:
  Plateau(const config::InputOptions& options, const TimeGrid& grid) : InputSignal(options, grid) {}

 private:
  void add_inside(std::int64_t trial, double /*t*/, std::span<double> driven) override {
    driven[0] += amplitude(trial);
  }
};

class Sinusoid final : public InputSignal {
 public:
  Sinusoid(const config::InputOptions& options, const TimeGrid& grid)
      : InputSignal(options, grid), frequency_(options.frequency), phase_(options.phase) {}

 private:
  void add_inside(std::int64_t trial, double t, std::span<double> driven) override {
    driven[0] += amplitude(trial) * std::sin(2.0 * std::numbers::pi * frequency_ * t + phase_);
  }

  double frequency_, phase_;
};

}  // namespace

std::int64_t TimeGrid::cell(double t) const noexcept {
  auto k = static_cast<std::int64_t>(std::floor(t / step_));
  while (time(k) > t) --k;
  while (time(k + 1) <= t) ++k;
  return k;
}

double TimeGrid::snap(double t) const noexcept {
  const double steps = t / step_;
  const double nearest = std::round(steps);
  const double tolerance = std::min(1e-9 * std::max(1.0, nearest), 1e-3);
  return std::abs(steps - nearest) <= tolerance ? nearest * step_ : t;
}

InputSignal::InputSignal(const config::InputOptions& options, const TimeGrid& grid)
    : grid_(grid),
      channel_(static_cast<int>(options.channel)),
      start_(grid.snap(options.start)),
      stop_(options.stop ? grid.snap(*options.stop) : never),
      amplitude_(options.amplitude),
      amplitudes_(options.amplitudes) {}

double InputSignal::amplitude(std::int64_t trial) const {
  return amplitudes_.empty() ? amplitude_ : amplitudes_[static_cast<std::size_t>(trial) % amplitudes_.size()];
}

void InputSignal::add(std::int64_t trial, double t, std::span<double> u) {
  if (t < start_ || t >= stop_) return;
  add_inside(trial, t, u.subspan(static_cast<std::size_t>(channel_), static_cast<std::size_t>(columns())));
}

double InputSignal::next_jump(std::int64_t trial, double t) const {
  if (t < start_) return start_;
  if (t >= stop_) return never;
  return std::min(stop_, next_jump_inside(trial, t));
}

double InputSignal::next_jump_inside(std::int64_t /*trial*/, double /*t*/) const {
  return never;
}

std::unique_ptr<InputSignal> make_input_signal(const config::InputOptions& options, std::size_t index,
                                               std::int64_t trials, const TimeGrid& grid, std::uint64_t seed) {
  switch (options.kind) {
    case config::InputKind::sinusoid:
      return std::make_unique<Sinusoid>(options, grid);
    case config::InputKind::ornstein_uhlenbeck:
      return std::make_unique<RandomSignal>(options, index, trials, grid, seed);
    case config::InputKind::file:
      return std::make_unique<SampledSignal>(options, index, trials, grid);
    case config::InputKind::constant:
    case config::InputKind::pulse:
    case config::InputKind::step:
      break;
  }
  return std::make_unique<Plateau>(options, grid);
}

std::string input_key(std::size_t index, std::string_view key) {
  return fmt::format("inputs.{}.{}", index, key);
}

}  // namespace rankflow::model
