#pragma once
#include <cstdint>

#include <xsimd/xsimd.hpp>

namespace rankflow::parallel {

/// As many 64-bit words as a vector register holds.
using WordBatch = xsimd::batch<std::uint64_t>;

/// Lane by lane: the 64-bit product of the low halves. The high halves may hold anything.
/// xsimd 8.1 has no such operation; the processor has, in one instruction.
inline WordBatch multiply_low_halves(const WordBatch& a, const WordBatch& b) {
#if defined(__AVX512F__)
  return _mm512_mul_epu32(a, b);
#elif defined(__AVX2__)
  return _mm256_mul_epu32(a, b);
#elif defined(__SSE2__) && !defined(__AVX__)
  return _mm_mul_epu32(a, b);
#else
  const WordBatch low(0xffffffffu);
  return (a & low) * (b & low);
#endif
}

/// Low half of `low` below the low half of `high`.
inline WordBatch join_low_halves(const WordBatch& low, const WordBatch& high) {
  return (low & WordBatch(0xffffffffu)) | (high << 32);
}

}  // namespace rankflow::parallel
