#pragma once
#include <type_traits>

#include "model/fused_product.hpp"

/// Numbers that are zero where a condition does not hold, in as few instructions as the processor allows: with AVX-512
/// a sum leaves such lanes alone, and nothing has to be set to zero.
namespace rankflow::smc {

/// open ? value : 0.
template <class B>
struct Gated {
  B value;
  typename B::batch_bool_type open;
};

/// gated factor + c.
template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> fused(const Gated<xsimd::batch<T, A>>& gated,
                                                       const xsimd::batch<T, A>& factor, const xsimd::batch<T, A>& c) {
  using B = xsimd::batch<T, A>;
#if defined(__AVX512F__)
  if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, double>)
    return _mm512_mask3_fmadd_pd(gated.value, factor, c, gated.open);
  else if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, float>)
    return _mm512_mask3_fmadd_ps(gated.value, factor, c, gated.open);
  else
#endif
    return model::fused(xsimd::select(gated.open, gated.value, B(T(0))), factor, c);
}

template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> fused(const xsimd::batch<T, A>& factor,
                                                       const Gated<xsimd::batch<T, A>>& gated,
                                                       const xsimd::batch<T, A>& c) {
  return fused(gated, factor, c);
}

template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> fused(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b,
                                                       const xsimd::batch<T, A>& c) {
  return model::fused(a, b, c);
}

/// c + gated.
template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> sum(const xsimd::batch<T, A>& c,
                                                     const Gated<xsimd::batch<T, A>>& gated) {
  using B = xsimd::batch<T, A>;
#if defined(__AVX512F__)
  if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, double>)
    return _mm512_mask_add_pd(c, gated.open, c, gated.value);
  else if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, float>)
    return _mm512_mask_add_ps(c, gated.open, c, gated.value);
  else
#endif
    return c + xsimd::select(gated.open, gated.value, B(T(0)));
}

template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> sum(const xsimd::batch<T, A>& c, const xsimd::batch<T, A>& value) {
  return c + value;
}

/// open ? min(a, b) : 0.
template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch<T, A> smaller_where(const xsimd::batch_bool<T, A>& open,
                                                               const xsimd::batch<T, A>& a,
                                                               const xsimd::batch<T, A>& b) {
  using B = xsimd::batch<T, A>;
#if defined(__AVX512F__)
  if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, double>)
    return _mm512_maskz_min_pd(open, a, b);
  else if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, float>)
    return _mm512_maskz_min_ps(open, a, b);
  else
#endif
    return xsimd::select(open, xsimd::min(a, b), B(T(0)));
}

/// open and a <= b.
template <class T, class A>
[[gnu::always_inline]] inline xsimd::batch_bool<T, A> and_not_above(const xsimd::batch_bool<T, A>& open,
                                                                    const xsimd::batch<T, A>& a,
                                                                    const xsimd::batch<T, A>& b) {
#if defined(__AVX512F__)
  if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, double>)
    return _mm512_mask_cmp_pd_mask(open, a, b, _CMP_LE_OQ);
  else if constexpr (std::is_base_of_v<xsimd::avx512f, A> && std::is_same_v<T, float>)
    return _mm512_mask_cmp_ps_mask(open, a, b, _CMP_LE_OQ);
  else
#endif
    return open && a <= b;
}

}  // namespace rankflow::smc
