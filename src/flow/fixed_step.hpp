#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "ad/aligned.hpp"
#include "config/flow_options.hpp"
#include "core/error.hpp"
#include "model/fused_product.hpp"
#include "nn/lanes.hpp"

namespace rankflow::flow {

/// Explicit Runge-Kutta steps of equal length on `size` numbers; owns its work space. T is float or double.
template <class T>
class FixedStep {
 public:
  /// Midpoint or rk4. Throws InternalError for adaptive.
  FixedStep(const config::FlowSamplerOptions& options, std::int64_t size)
      : method_(options.method), steps_(options.steps) {
    if (method_ == config::FlowIntegrator::adaptive) throw InternalError("fixed steps of an adaptive method");
    middle_.assign(static_cast<std::size_t>(size), T(0));
    for (auto& slope : slopes_) slope.assign(static_cast<std::size_t>(size), T(0));
  }

  /// Takes y from t = `from` to `to`; derivative(t, y, dy) on spans of T.
  template <class Derivative>
  void run(std::span<T> y, double from, double to, const Derivative& derivative) {
    const double length = (to - from) / static_cast<double>(steps_);
    for (std::int64_t step = 0; step < steps_; ++step) {
      const double t = from + length * static_cast<double>(step);
      if (method_ == config::FlowIntegrator::midpoint)
        midpoint(y, t, length, derivative);
      else
        rk4(y, t, length, derivative);
    }
  }

 private:
  using Slope = ad::AlignedVector<T>;

  /// out = y + factor slope
  static void advance(std::span<const T> y, double factor, const Slope& slope, std::span<T> out) {
    const xsimd::batch<T> scale(static_cast<T>(factor));
    nn::for_lanes<T>(std::ssize(y), [&](auto lanes) {
      lanes.store(out.data(), model::fused(scale, lanes.load(slope.data()), lanes.load(y.data())));
    });
  }

  template <class Derivative>
  void midpoint(std::span<T> y, double t, double length, const Derivative& derivative) {
    derivative(t, std::span<const T>(y), std::span<T>(slopes_[0]));
    advance(y, length / 2, slopes_[0], middle_);
    derivative(t + length / 2, std::span<const T>(middle_), std::span<T>(slopes_[0]));
    advance(y, length, slopes_[0], y);
  }

  template <class Derivative>
  void rk4(std::span<T> y, double t, double length, const Derivative& derivative) {
    derivative(t, std::span<const T>(y), std::span<T>(slopes_[0]));
    constexpr std::array reach = {0.5, 0.5, 1.0};
    for (std::size_t stage = 1; stage < slopes_.size(); ++stage) {
      advance(y, length * reach[stage - 1], slopes_[stage - 1], middle_);
      derivative(t + length * reach[stage - 1], std::span<const T>(middle_), std::span<T>(slopes_[stage]));
    }
    constexpr std::array weights = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    for (std::size_t stage = 0; stage < slopes_.size(); ++stage) advance(y, length * weights[stage], slopes_[stage], y);
  }

  config::FlowIntegrator method_;
  std::int64_t steps_;
  Slope middle_;
  std::array<Slope, 4> slopes_;
};

}  // namespace rankflow::flow
