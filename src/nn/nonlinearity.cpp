#include "nn/nonlinearity.hpp"

#include <numbers>

#include "model/fast_tanh.hpp"
#include "nn/lanes.hpp"

namespace rankflow::nn {
namespace {

/// Value and slope of each function.
struct Gelu {
  template <class B>
  static B normal(const B& x) {
    using T = typename B::value_type;
    return B(T(0.5)) * (B(T(1)) + xsimd::erf(x * B(T(1) / std::numbers::sqrt2_v<T>)));
  }
  template <class B>
  B value(const B& x) const {
    return x * normal(x);
  }
  template <class B>
  B slope(const B& x) const {
    using T = typename B::value_type;
    const B density = B(std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>) * xsimd::exp(B(T(-0.5)) * x * x);
    return normal(x) + x * density;
  }
};

struct Relu {
  template <class B>
  B value(const B& x) const {
    return xsimd::max(B(0), x);
  }
  template <class B>
  B slope(const B& x) const {
    return xsimd::select(x > B(0), B(1), B(0));
  }
};

struct Silu {
  template <class B>
  B value(const B& x) const {
    return x * sigmoid(x);
  }
  template <class B>
  B slope(const B& x) const {
    const B s = sigmoid(x);
    return s + x * s * (B(1) - s);
  }
};

struct Tanh {
  template <class B>
  B value(const B& x) const {
    return model::fast_tanh(x);
  }
  template <class B>
  B slope(const B& x) const {
    const B y = model::fast_tanh(x);
    return B(1) - y * y;
  }
};

template <class T, class Function>
ad::Array<T> apply(ad::Tape& tape, const ad::Array<T>& x, const Function& function) {
  const auto y = tape.array<T>(x.rows, x.columns, x.has_adjoint());
  for_lanes<T>(x.size(), [&](auto lanes) { lanes.store(y.value, function.value(lanes.load(x.value))); });
  if (!y.has_adjoint()) return y;
  tape.record([=] {
    for_lanes<T>(x.size(), [&](auto lanes) {
      lanes.add(x.adjoint, lanes.load(y.adjoint) * function.slope(lanes.load(x.value)));
    });
  });
  return y;
}

}  // namespace

template <class T>
ad::Array<T> activate(ad::Tape& tape, const ad::Array<T>& x, Nonlinearity kind) {
  switch (kind) {
    case Nonlinearity::gelu:
      return apply(tape, x, Gelu{});
    case Nonlinearity::relu:
      return apply(tape, x, Relu{});
    case Nonlinearity::silu:
      return apply(tape, x, Silu{});
    case Nonlinearity::tanh:
      break;
  }
  return apply(tape, x, Tanh{});
}

template ad::Array<float> activate(ad::Tape&, const ad::Array<float>&, Nonlinearity);
template ad::Array<double> activate(ad::Tape&, const ad::Array<double>&, Nonlinearity);

}  // namespace rankflow::nn
