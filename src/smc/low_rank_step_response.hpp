#pragma once
#include "model/activation.hpp"
#include "smc/gated.hpp"
#include "smc/low_rank_step_loops.hpp"

/// A neuron's activation phi(x, d), and what the adjoints need of it: both partial derivatives times the adjoint g of
/// its rate.
namespace rankflow::smc {

/// rate = phi(x, d); input = g d phi / d x; bias = g d phi / d d.
template <class B, class Change>
struct ResponseValues {
  B rate;
  Change input, bias;
};

/// A neuron whose phi is a function of x + d: the two derivatives are one.
template <class Phi, class T>
class Response {
  using B = xsimd::batch<T>;

 public:
  using Change = B;
  /// bias: of PreparedStep.
  [[gnu::always_inline]] Response(const T* bias, std::int64_t neuron) : d_(bias[neuron]) {}
  /// What the functions below want for a potential x = sum_k weights[k] row k.
  template <int fixed, class Load = LoadAll>
  [[gnu::always_inline]] B potential(const T* weights, std::int64_t count, const T* rows, Load load = {}) const {
    return combine<fixed>(weights, count, rows, load);
  }
  [[gnu::always_inline]] B rate(const B& x) const { return Phi::rate(x, d_); }
  [[gnu::always_inline]] B input(const B& x, const B& g) const {
    if constexpr (std::is_same_v<Phi, model::activation::Tanh>)
      return all(x, g).input;
    else if constexpr (std::is_same_v<Phi, model::activation::Relu>)
      return xsimd::select(x + d_ > B(T(0)), g, B(T(0)));
    else
      return g * Phi::slope(x, d_);
  }
  [[gnu::always_inline]] ResponseValues<B, B> all(const B& x, const B& g) const {
    if constexpr (std::is_same_v<Phi, model::activation::Tanh>) {
      const B r = model::fast_tanh(x + d_);
      const B both = model::fused_minus(r * r, g, g);
      return {r, both, both};
    } else {
      const B both = input(x, g);
      return {Phi::rate(x, d_), both, both};
    }
  }

 private:
  B d_;
};

/// Clipped ReLU as PreparedStep writes it. Only relu(x + d) depends on the bias.
template <class T>
class Response<model::activation::ClippedRelu, T> {
  using B = xsimd::batch<T>;

 public:
  using Change = Gated<B>;
  [[gnu::always_inline]] Response(const T* bias, std::int64_t neuron)
      : offset_(bias[3 * neuron]), width_(bias[3 * neuron + 1]), level_(bias[3 * neuron + 2]) {}
  template <int fixed, class Load = LoadAll>
  [[gnu::always_inline]] B potential(const T* weights, std::int64_t count, const T* rows, Load load = {}) const {
    return add_combination<fixed, 0>(offset_, weights, count, rows, load);
  }
  /// These orders of operands pass a NaN on (x86 returns the second one).
  [[gnu::always_inline]] B rate(const B& x) const { return xsimd::min(width_, xsimd::max(B(T(0)), x)); }
  [[gnu::always_inline]] Change input(const B& x, const B& g) const {
    return {g, and_not_above(x > B(T(0)), x, width_)};
  }
  [[gnu::always_inline]] ResponseValues<B, Change> all(const B& x, const B& g) const {
    const auto open = x > B(T(0));
    return {smaller_where(open, width_, x), {g, and_not_above(open, x, width_)}, {g, x > level_}};
  }

 private:
  B offset_, width_, level_;
};

}  // namespace rankflow::smc
