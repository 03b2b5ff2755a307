#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/input_signal.hpp"
#include "model/small_array.hpp"

namespace rankflow::model {

/// Samples of an array [time], [time, input] or [trial, time, input], each held for `interval` from `start` on and
/// multiplied by the amplitude; 0 after the last one.
class SampledSignal final : public InputSignal {
 public:
  SampledSignal(const config::InputOptions& options, std::size_t index, std::int64_t trials, const TimeGrid& grid);

  /// Inputs in an array of this shape.
  static std::int64_t inputs_of(const std::vector<std::int64_t>& shape);

  int columns() const override { return columns_; }

 private:
  void add_inside(std::int64_t trial, double t, std::span<double> driven) override;
  double next_jump_inside(std::int64_t trial, double t) const override;
  /// Beginning of sample j.
  double time(std::int64_t j) const noexcept;
  /// The sample held at t >= start; samples_ when past the last one.
  std::int64_t sample_at(double t) const noexcept;
  /// The columns() values of a sample; zeros past the last one.
  std::span<const double> sample(std::int64_t trial, std::int64_t j) const;

  std::vector<double> values_;  ///< [trial, time, input]
  std::vector<double> silence_;
  std::int64_t trials_ = 1, samples_ = 0;
  int columns_ = 1;
  double interval_;
};

}  // namespace rankflow::model
