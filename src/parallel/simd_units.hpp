#pragma once
#include <bit>
#include <concepts>
#include <cstdint>

#include <xsimd/xsimd.hpp>

#include "parallel/draws_tiles.hpp"

/// From random bits to numbers, a vector register at a time.
namespace rankflow::parallel {

static_assert(std::endian::native == std::endian::little, "halves of 64-bit words are read as 32-bit words");

/// Vectors of T and of the bits behind them.
template <std::floating_point T>
struct Lanes;

template <>
struct Lanes<double> {
  using Word = std::uint64_t;
  static constexpr int mantissa_bits = 52;
};

template <>
struct Lanes<float> {
  using Word = std::uint32_t;
  static constexpr int mantissa_bits = 23;
};

template <class T>
using Values = xsimd::batch<T>;
template <class T>
using Bits = xsimd::batch<typename Lanes<T>::Word>;

/// Uniform in (0,1) from the low (mantissa) bits: odd multiples of half the spacing of numbers in [1,2).
template <class T>
Values<T> open_unit(const Bits<T>& bits) {
  using Word = typename Lanes<T>::Word;
  constexpr Word mantissa = (Word{1} << Lanes<T>::mantissa_bits) - 1;
  constexpr auto half_spacing = T(1) / static_cast<T>(Word{2} << Lanes<T>::mantissa_bits);
  const Bits<T> one_to_two = (bits & Bits<T>(mantissa)) | Bits<T>(std::bit_cast<Word>(T(1)));
  return xsimd::bitwise_cast<Values<T>>(one_to_two) - Values<T>(T(1) - half_spacing);
}

/// −log of a uniform number: exponential of mean 1. A float takes 31 bits, so that its tail reaches 22.2
/// where the mantissa alone would end at 16.6; its uniform number may round to 1.
template <class T>
Values<T> negative_log_unit(const Bits<T>& bits);

template <>
inline Values<double> negative_log_unit<double>(const Bits<double>& bits) {
  return Values<double>(0.0) - xsimd::log(open_unit<double>(bits));
}

template <>
inline Values<float> negative_log_unit<float>(const Bits<float>& bits) {
  const auto integer = xsimd::bitwise_cast<xsimd::batch<std::int32_t>>(bits >> 1);
  const Values<float> unit = xsimd::fma(xsimd::to_float(integer), Values<float>(0x1p-31f), Values<float>(0x1p-32f));
  return Values<float>(0.0f) - xsimd::log(unit);
}

template <class T>
struct Direction {
  Values<T> cosine, sine;
};

/// Uniform on the unit circle. The mantissa bits choose an angle in (−π/4, π/4), where sine and cosine need
/// no range reduction; the two highest bits choose one of the four quarters.
template <class T>
Direction<T> direction(const Bits<T>& bits) {
  using Word = typename Lanes<T>::Word;
  constexpr Word top = Word{1} << (8 * sizeof(Word) - 1);
  constexpr T half_pi = static_cast<T>(1.57079632679489661923);
  const Values<T> angle = (open_unit<T>(bits) - Values<T>(T(0.5))) * Values<T>(half_pi);
  const auto [sine, cosine] = xsimd::sincos(angle);
  const Values<T> turned = cosine ^ xsimd::bitwise_cast<Values<T>>(bits & Bits<T>(top));
  // That bit alone is the number 2.
  const auto swap = xsimd::bitwise_cast<Values<T>>(bits & Bits<T>(top >> 1)) != Values<T>(T(0));
  return {xsimd::select(swap, sine, turned), xsimd::select(swap, turned, sine)};
}

/// `Values<T>::size` items of a tile, from `item` on. `words` must be aligned for vectors.
template <class T>
Bits<T> load_bits(const Words& words, int item) {
  const auto word = static_cast<std::size_t>(item) * sizeof(T) / sizeof(std::uint64_t);
  return xsimd::bitwise_cast<Bits<T>>(xsimd::batch<std::uint64_t>::load_aligned(words.data() + word));
}

/// One uniform number in (0,1) per item of a tile.
template <class T>
void units(const Words& words, T* values) {
  for (int item = 0; item < items_per_tile(sizeof(T)); item += static_cast<int>(Values<T>::size)) {
    open_unit<T>(load_bits<T>(words, item)).store_unaligned(values + item);
  }
}

/// One exponential number per item of a tile.
template <class T>
void negative_log_units(const Words& words, T* values) {
  for (int item = 0; item < items_per_tile(sizeof(T)); item += static_cast<int>(Values<T>::size)) {
    negative_log_unit<T>(load_bits<T>(words, item)).store_unaligned(values + item);
  }
}

/// One standard normal number per item of a tile: radii from its first half, angles from its second.
template <class T>
void box_muller(const Words& words, T* values) {
  constexpr int half = items_per_tile(sizeof(T)) / 2;
  for (int item = 0; item < half; item += static_cast<int>(Values<T>::size)) {
    const Values<T> radius = xsimd::sqrt(Values<T>(T(2)) * negative_log_unit<T>(load_bits<T>(words, item)));
    const Direction<T> point = direction<T>(load_bits<T>(words, half + item));
    (radius * point.cosine).store_unaligned(values + item);
    (radius * point.sine).store_unaligned(values + half + item);
  }
}

}  // namespace rankflow::parallel
