#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>

#include <xsimd/xsimd.hpp>

#include "config/network_options.hpp"
#include "model/fast_tanh.hpp"

namespace rankflow::model {

using config::Activation;

/// Activation functions phi(x, d) and their slopes d phi / d x over SIMD batches: one functor each, so that
/// kernels are compiled per activation and no call is made per neuron. x: potential, d: bias.
namespace activation {

struct Tanh {
  // Inlined always: as a call it costs the fused kernels half as much again.
  template <class B>
  [[gnu::always_inline]] static B rate(const B& x, const B& d) {
    return fast_tanh(x + d);
  }
  template <class B>
  static B slope(const B& x, const B& d) {
    const B r = fast_tanh(x + d);
    return B(1) - r * r;
  }
};

/// max(0, s), in this order: x86 returns the second operand when one is NaN, so a NaN is passed on.
struct Relu {
  template <class B>
  static B rate(const B& x, const B& d) {
    return xsimd::max(B(0), x + d);
  }
  template <class B>
  static B slope(const B& x, const B& d) {
    return xsimd::select(x + d > B(0), B(1), B(0));
  }
};

/// relu(x + d) - relu(x): bounded for every d (Brenner et al. 2022; Pals et al. 2024).
struct ClippedRelu {
  template <class B>
  static B rate(const B& x, const B& d) {
    return xsimd::max(B(0), x + d) - xsimd::max(B(0), x);
  }
  template <class B>
  static B slope(const B& x, const B& d) {
    return xsimd::select(x + d > B(0), B(1), B(0)) - xsimd::select(x > B(0), B(1), B(0));
  }
};

struct Sigmoid {
  template <class B>
  static B rate(const B& x, const B& d) {
    // Written with tanh, which neither overflows nor loses the small tail's sign.
    return B(0.5) + B(0.5) * fast_tanh(B(0.5) * (x + d));
  }
  template <class B>
  static B slope(const B& x, const B& d) {
    const B r = rate(x, d);
    return r * (B(1) - r);
  }
};

struct Softplus {
  template <class B>
  static B rate(const B& x, const B& d) {
    const B s = x + d;
    return xsimd::max(B(0), s) + xsimd::log1p(xsimd::exp(-xsimd::abs(s)));
  }
  template <class B>
  static B slope(const B& x, const B& d) {
    return Sigmoid::rate(x, d);
  }
};

/// erf(sqrt(pi)/2 s): slope 1 at 0, and Gaussian averages in closed form.
struct Erf {
  template <class B>
  static B rate(const B& x, const B& d) {
    return xsimd::erf(B(scale<B>) * (x + d));
  }
  template <class B>
  static B slope(const B& x, const B& d) {
    const B s = B(scale<B>) * (x + d);
    return xsimd::exp(-s * s);
  }
  template <class B>
  static constexpr typename B::value_type scale = static_cast<typename B::value_type>(0.88622692545275801364);
};

struct Identity {
  template <class B>
  static B rate(const B& x, const B& d) {
    return x + d;
  }
  template <class B>
  static B slope(const B&, const B&) {
    return B(1);
  }
};

}  // namespace activation

/// Calls `action` with the functor of `kind`: the one place where the choice is made.
template <class Action>
decltype(auto) with_activation(Activation kind, Action&& action) {
  switch (kind) {
    case Activation::relu:
      return action(activation::Relu{});
    case Activation::clipped_relu:
      return action(activation::ClippedRelu{});
    case Activation::softplus:
      return action(activation::Softplus{});
    case Activation::sigmoid:
      return action(activation::Sigmoid{});
    case Activation::erf:
      return action(activation::Erf{});
    case Activation::identity:
      return action(activation::Identity{});
    case Activation::tanh:
      break;
  }
  return action(activation::Tanh{});
}

/// rates[i] = phi(x[i], bias[i]) for i < count, a multiple of 16. `bias` may be null (all 0). Aligned arrays.
template <class T>
void tile_rates(Activation kind, const T* x, const T* bias, T* rates, std::int64_t count);
/// slopes[i] = d phi / d x, as above.
template <class T>
void tile_slopes(Activation kind, const T* x, const T* bias, T* slopes, std::int64_t count);

}  // namespace rankflow::model
