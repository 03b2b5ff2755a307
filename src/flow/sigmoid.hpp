#pragma once
#include <cstddef>
#include <limits>

#include <xsimd/xsimd.hpp>

#include "model/fast_tanh.hpp"
#include "model/fused_product.hpp"

namespace rankflow::flow {

/// 1 / (1 + exp(-x)) within a few units of the last place of 1, in as few instructions as we know: behind the products
/// of a layer they are what costs. Numbers of model/fast_tanh.hpp. NaN stays NaN.
template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> fast_sigmoid(const xsimd::batch<T, A>& x) {
  using Numbers = model::TanhNumbers<T>;
  using B = xsimd::batch<T, A>;
  using Integers = xsimd::batch<typename Numbers::Integer, A>;
  // exp() of it and of its negative are normal numbers.
  constexpr T limit = std::numeric_limits<T>::max_exponent * T(0.68);
  // This order of operands passes a NaN on (x86 returns the second one).
  const B exponent = xsimd::max(B(-limit), xsimd::min(B(limit), -x));
  const B shifted = model::fused(exponent, B(static_cast<T>(1.44269504088896340736)), B(Numbers::rounder));
  const B whole = shifted - B(Numbers::rounder);
  const B r = model::fused_minus(whole, B(Numbers::ln2_low), model::fused_minus(whole, B(Numbers::ln2_high), exponent));
  B power = B(Numbers::series.back());
  for (std::size_t k = Numbers::series.size() - 1; k-- > 0;) power = model::fused(power, r, B(Numbers::series[k]));
  power = model::fused(power, r, B(T(1)));
  power = model::fused(power, r, B(T(1)));
  // 2^whole, its exponent moved from the lowest bits of `shifted`.
  const B scale = xsimd::bitwise_cast<B>((xsimd::bitwise_cast<Integers>(shifted) << Numbers::mantissa_bits) +
                                         xsimd::bitwise_cast<Integers>(B(T(1))));
  return B(T(1)) / model::fused(scale, power, B(T(1)));
}

}  // namespace rankflow::flow
