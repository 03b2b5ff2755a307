#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "config/options.hpp"

namespace rankflow::config {

enum class InputKind { constant, pulse, step, sinusoid, ornstein_uhlenbeck, file };  ///< shape in time

/// An entry of [[inputs]]: one signal u(t) on one channel; entries on the same channel add.
struct InputOptions {
  InputKind kind = InputKind::constant;
  std::int64_t channel = 0;  ///< driven by this entry; the first one of an array
  double amplitude = 1.0;
  std::vector<double> amplitudes;  ///< [trial], cycled; instead of amplitude
  double start = 0.0;              ///< s
  std::optional<double> stop;      ///< s; none: never
  double frequency = 1.0;          ///< Hz
  double phase = 0.0;              ///< rad, at t = 0
  double std = 1.0;                ///< of ornstein_uhlenbeck
  double correlation_time = 0.1;   ///< s, of ornstein_uhlenbeck
  ArraySource array;               ///< [time], [time, input] or [trial, time, input]
  std::optional<double> interval;  ///< s between samples of array; none: time.step

  template <class V>
  void describe(V& v) {
    v.choice("kind", kind,
             {{"constant", InputKind::constant, "amplitude at all times"},
              {"pulse", InputKind::pulse, "amplitude in [start, stop)"},
              {"step", InputKind::step, "amplitude from start on"},
              {"sinusoid", InputKind::sinusoid, "amplitude sin(2 pi frequency t + phase) in [start, stop)"},
              {"ornstein_uhlenbeck", InputKind::ornstein_uhlenbeck,
               "stationary random input, mean amplitude, held constant over each time.step"},
              {"file", InputKind::file, "samples of an array, each held for interval"}},
             {.doc = "shape in time"});
    v.integer("channel", channel,
              {.doc = "input channel driven; the first one for an array of several", .minimum = 0, .maximum = 1000000});
    v.real("amplitude", amplitude, {.doc = "amplitude, or factor of the array"});
    v.reals("amplitudes", amplitudes,
            {.doc = "amplitude by trial, cycled when there are more trials; overrides amplitude"});
    v.real("start", start, {.doc = "onset", .unit = "s", .minimum = 0.0});
    v.real("stop", stop, {.doc = "end; default: never", .unit = "s", .minimum = 0.0});
    v.real("frequency", frequency, {.doc = "frequency of sinusoid", .unit = "Hz", .minimum = 0.0});
    v.real("phase", phase, {.doc = "phase of sinusoid at t = 0", .unit = "rad"});
    v.real("std", std, {.doc = "stationary standard deviation of ornstein_uhlenbeck", .minimum = 0.0});
    v.real("correlation_time", correlation_time,
           {.doc = "correlation time of ornstein_uhlenbeck", .unit = "s", .above = 0.0});
    v.array("array", array, {.doc = "[time], [time, input] or [trial, time, input] for kind = \"file\""});
    v.real("interval", interval,
           {.doc = "time between samples of array; default: time.step", .unit = "s", .above = 0.0});
  }

  void validate(const Checker& check) const {
    if (kind == InputKind::pulse && !stop) check.fail("stop", "a pulse needs its end");
    if (stop && *stop <= start) check.fail("stop", "must be after start ({}), found {}", start, *stop);
    if (kind == InputKind::file && !array.given) check.fail("array", "kind = \"file\" needs an array of samples");
  }
};

}  // namespace rankflow::config
