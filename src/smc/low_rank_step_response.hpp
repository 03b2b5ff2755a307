#pragma once
#include "model/activation.hpp"

/// What the adjoints need of an activation phi(x, d): both partial derivatives times the adjoint g of its rate.
namespace rankflow::smc {

/// rate = phi(x, d); input = g d phi / d x; bias = g d phi / d d.
template <class B>
struct ResponseValues {
  B rate, input, bias;
};

/// phi is a function of x + d: the two derivatives are one.
template <class Phi>
struct Response {
  template <class B>
  [[gnu::always_inline]] static B input(const B& x, const B& d, const B& g) {
    return g * Phi::slope(x, d);
  }
  template <class B>
  [[gnu::always_inline]] static ResponseValues<B> all(const B& x, const B& d, const B& g) {
    const B both = input(x, d, g);
    return {Phi::rate(x, d), both, both};
  }
};

template <>
struct Response<model::activation::Tanh> {
  template <class B>
  [[gnu::always_inline]] static B input(const B& x, const B& d, const B& g) {
    return all(x, d, g).input;
  }
  template <class B>
  [[gnu::always_inline]] static ResponseValues<B> all(const B& x, const B& d, const B& g) {
    const B r = model::fast_tanh(x + d);
    const B both = model::fused_minus(r * r, g, g);
    return {r, both, both};
  }
};

template <>
struct Response<model::activation::Relu> {
  template <class B>
  [[gnu::always_inline]] static B input(const B& x, const B& d, const B& g) {
    return xsimd::select(x + d > B(0), g, B(0));
  }
  template <class B>
  [[gnu::always_inline]] static ResponseValues<B> all(const B& x, const B& d, const B& g) {
    const B both = input(x, d, g);
    return {model::activation::Relu::rate(x, d), both, both};
  }
};

/// relu(x + d) - relu(x): only the first term depends on the bias.
template <>
struct Response<model::activation::ClippedRelu> {
  template <class B>
  [[gnu::always_inline]] static B input(const B& x, const B& d, const B& g) {
    return all(x, d, g).input;
  }
  template <class B>
  [[gnu::always_inline]] static ResponseValues<B> all(const B& x, const B& d, const B& g) {
    const B first = xsimd::select(x + d > B(0), g, B(0));
    return {model::activation::ClippedRelu::rate(x, d), xsimd::select(x > B(0), first - g, first), first};
  }
};

}  // namespace rankflow::smc
