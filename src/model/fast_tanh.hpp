#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <xsimd/xsimd.hpp>

#include "model/fused_product.hpp"

namespace rankflow::model {

/// Numbers behind tanh in one precision. `series`: polynomial through exp(r) = 1 + r + r^2 series(r) at the Chebyshev
/// nodes of |r| <= ln(2)/2; the relative error of exp(r) - 1 is below 5e-17 (double) and 6e-10 (float).
template <class T>
struct TanhNumbers;

template <>
struct TanhNumbers<double> {
  using Integer = std::int64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr double rounder = 0x1.8p52;  ///< adding it leaves the nearest integer in the lowest bits
  static constexpr double ln2_high = 0x1.62e42feep-1;
  static constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double lowest = -40.0;  ///< exp(-40) is below half a unit of 1
  static constexpr std::array series = {0x1.0000000000001p-1,  0x1.5555555555556p-3,  0x1.5555555553d64p-5,
                                        0x1.11111111109b4p-7,  0x1.6c16c1788b646p-10, 0x1.a01a01a7c3d59p-13,
                                        0x1.a019b90eefe8ep-16, 0x1.71de0daf7a6ccp-19, 0x1.2891834686c7ep-22,
                                        0x1.af38a71a18cb9p-26};
};

template <>
struct TanhNumbers<float> {
  using Integer = std::int32_t;
  static constexpr int mantissa_bits = 23;
  static constexpr float rounder = 0x1.8p23f;
  static constexpr float ln2_high = 0x1.62e4p-1f;
  static constexpr float ln2_low = 0x1.7f7d1cp-20f;
  static constexpr float lowest = -20.0f;
  static constexpr std::array series = {0.5f,          0.16666667f,    0.041666465f,
                                        0.0083333109f, 0.00139336479f, 0.000198909885f};
};

/// sum_k coefficients[first + k] x^k for k < count, by halves: a short chain of dependent instructions.
/// powers[j] = x^(2^j).
template <std::size_t first, std::size_t count, class B, class Coefficients, std::size_t levels>
[[gnu::always_inline]] inline B polynomial(const Coefficients& coefficients, const std::array<B, levels>& powers) {
  if constexpr (count == 1) {
    return B(coefficients[first]);
  } else {
    constexpr std::size_t half = std::bit_ceil(count) / 2;
    return fused(powers[std::bit_width(half) - 1], polynomial<first + half, count - half>(coefficients, powers),
                 polynomial<first, half>(coefficients, powers));
  }
}

/// tanh within 2.7 units of the last place with one division, no branch and no table: with e = exp(-2|x|) - 1,
/// tanh |x| = |e / (2 + e)|. Odd to the last bit; NaN stays NaN.
template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> fast_tanh(const xsimd::batch<T, A>& x) {
  using Numbers = TanhNumbers<T>;
  using B = xsimd::batch<T, A>;
  using Integers = xsimd::batch<typename Numbers::Integer, A>;
  // This order of operands passes a NaN on (x86 returns the second one).
  const B exponent = xsimd::max(B(Numbers::lowest), B(T(-2)) * xsimd::abs(x));
  const B shifted = fused(exponent, B(static_cast<T>(1.44269504088896340736)), B(Numbers::rounder));
  const B whole = shifted - B(Numbers::rounder);
  const B r = fused_minus(whole, B(Numbers::ln2_low), fused_minus(whole, B(Numbers::ln2_high), exponent));
  const B r2 = r * r;
  const B r4 = r2 * r2;
  const std::array powers = {r, r2, r4, r4 * r4};
  const B small = fused(r2, polynomial<0, Numbers::series.size()>(Numbers::series, powers), r);
  // 2^whole, its exponent moved from the lowest bits of `shifted`.
  const B scale = xsimd::bitwise_cast<B>((xsimd::bitwise_cast<Integers>(shifted) << Numbers::mantissa_bits) +
                                         xsimd::bitwise_cast<Integers>(B(T(1))));
  const B e = fused(scale, small, scale - B(T(1)));
  return xsimd::copysign(e / (B(T(2)) + e), x);
}

}  // namespace rankflow::model
