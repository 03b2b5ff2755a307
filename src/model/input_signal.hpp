#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/simulate_options.hpp"

namespace rankflow::model {

/// The grid of times k · step (s).
class TimeGrid {
 public:
  explicit TimeGrid(double step) : step_(step) {}

  double step() const noexcept { return step_; }
  double time(std::int64_t k) const noexcept { return static_cast<double>(k) * step_; }
  /// The k with time(k) <= t < time(k + 1), in floating point too.
  std::int64_t cell(double t) const noexcept;
  /// The grid point next to t when they differ by rounding only (1e-9 of the number of steps, at most a thousandth
  /// of a step), else t: so that an onset at 0.3 s is step 3 of 0.1 s.
  double snap(double t) const noexcept;

 private:
  double step_;
};

/// One entry of [[inputs]]: a shape in time within [start, stop), on one channel or several in a row. It is 0
/// outside. Jumps lie on snapped times, so that signals that jump "together" do so in floating point too.
class InputSignal {
 public:
  virtual ~InputSignal() = default;
  /// First channel driven.
  int channel() const noexcept { return channel_; }
  /// Channels driven from there on.
  virtual int columns() const { return 1; }
  /// Adds the value at time t; at a jump, the one just after it.
  void add(std::int64_t trial, double t, std::span<double> u);
  /// First jump after t, or infinity.
  double next_jump(std::int64_t trial, double t) const;

 protected:
  InputSignal(const config::InputOptions& options, const TimeGrid& grid);

  const TimeGrid& grid() const noexcept { return grid_; }
  double start() const noexcept { return start_; }
  /// Amplitude of the trial: the configured ones are cycled.
  double amplitude(std::int64_t trial) const;

 private:
  /// Adds the value at a time in [start, stop) to the columns() channels driven.
  virtual void add_inside(std::int64_t trial, double t, std::span<double> driven) = 0;
  /// First jump after t >= start other than stop, or infinity.
  virtual double next_jump_inside(std::int64_t trial, double t) const;

  TimeGrid grid_;
  int channel_;
  double start_, stop_;
  double amplitude_;
  std::vector<double> amplitudes_;
};

/// The signal of entry `index` of [[inputs]]. Throws InputDataError for an array that does not fit `trials`.
std::unique_ptr<InputSignal> make_input_signal(const config::InputOptions& options, std::size_t index,
                                               std::int64_t trials, const TimeGrid& grid, std::uint64_t seed);

/// "inputs.2.array": a key of entry `index` of [[inputs]].
std::string input_key(std::size_t index, std::string_view key);

}  // namespace rankflow::model
