#pragma once
#include <type_traits>

#include <xsimd/xsimd.hpp>

namespace rankflow::model {

/// a b + c with one rounding where the processor can. xsimd 8.1 writes fma as a product and a sum for AVX-512, which
/// stay two instructions since the compiler may not contract them.
template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> fused(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b,
                                                       const xsimd::batch<T, A>& c) {
#if defined(__AVX512F__)
  if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, double>)
    return _mm512_fmadd_pd(a, b, c);
  else if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, float>)
    return _mm512_fmadd_ps(a, b, c);
  else
#endif
    return xsimd::fma(a, b, c);
}

/// c - a b, as above.
template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> fused_minus(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b,
                                                             const xsimd::batch<T, A>& c) {
#if defined(__AVX512F__)
  if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, double>)
    return _mm512_fnmadd_pd(a, b, c);
  else if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, float>)
    return _mm512_fnmadd_ps(a, b, c);
  else
#endif
    return xsimd::fnma(a, b, c);
}

}  // namespace rankflow::model
