#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "config/simulate_options.hpp"

namespace rankflow::model {

class InputSignal;

/// External inputs u [trial, time, input]: the sum of the configured signals, each 0 outside of its [start, stop). The
/// same on every rank. A jump within rounding (1e-9) of a grid point k step lies on it exactly, so at_step(k), at(k
/// step) and next_jump() agree on the side of a jump on which a time lies.
class Inputs {
 public:
  /// `step` (s) is the grid of random inputs and the default interval of sampled ones. `channels`: number of input
  /// channels of the network. Throws ConfigurationError for a channel the network does not have and InputDataError for
  /// an array whose shape does not fit; times past the end of an array hold an input of 0.
  Inputs(const std::vector<config::InputOptions>& options, std::int64_t trials, double step, int channels,
         std::uint64_t seed);
  Inputs(Inputs&&) noexcept;
  ~Inputs();

  /// Highest channel named in `options`, plus the columns of arrays: the number of channels the options drive.
  static int channels_driven(const std::vector<config::InputOptions>& options);

  int channels() const noexcept { return channels_; }
  /// True when the input is 0 at all times.
  bool empty() const noexcept { return signals_.empty(); }
  /// u(t) of one trial; `u` has channels() values. At a jump, the value just after it. Times may be asked in any
  /// order; ascending ones are fast.
  void at(std::int64_t trial, double t, std::span<double> u);
  /// u at the beginning of step `k` of the time grid, that is at t = k step without rounding trouble at jumps.
  void at_step(std::int64_t trial, std::int64_t k, std::span<double> u);
  /// First time after `t` where an input of this trial is not smooth (a jump), or infinity. Adaptive integrators
  /// end a step there.
  double next_jump(std::int64_t trial, double t) const;

 private:
  int channels_ = 0;
  double step_ = 0.0;
  std::vector<std::unique_ptr<InputSignal>> signals_;
};

}  // namespace rankflow::model
