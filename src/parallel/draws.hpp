#pragma once
#include <cstdint>
#include <span>

#include "parallel/random_stream.hpp"

/// Random numbers in batches. out[i] belongs to the global item first_item + i, and its value depends only
/// on (stream, draw, first_item + i): not on how items are cut into calls, not on ranks.
///
/// A counter names (item, index, step, trial), see TileCounter. Items share Philox blocks, in tiles of
/// 16 blocks = 32 words of 64 bits (philox_tile):
///   64-bit kinds (double, below, poisson, gamma): item i has word i % 32 of tile i / 32;
///   32-bit kinds (float, raw): item i has half h = i % 64 of tile i / 64: lower (h even) or upper (h odd)
///   half of word h / 2.
/// A Box-Muller pair takes its radius from the first and its angle from the second half of the tile.
/// So a call is cheapest when it covers whole tiles. Values always come from whole tiles, hence a value
/// never depends on its place in a call.
///
/// Two kinds of numbers with the same stream and draw share bits: give each its own index (or purpose).
/// Rejection (gamma, poisson) takes its further numbers from Stream::key(round), never from other draws.
///
/// All functions: T is float or double; nothing is allocated; InternalError if an item is ≥ 2^48 or
/// draw.index ≥ 2^16.
namespace rankflow::parallel {

/// Uniform in (0,1), never 0 or 1: odd multiples of 2^-53 (double) or 2^-24 (float).
template <class T>
void uniform(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<T> out);

/// Standard normal (Box and Muller 1958). Largest magnitude 8.57 (double) or 6.66 (float).
template <class T>
void normal(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<T> out);

/// Exponential of mean 1. Positive for double; float may give 0 (probability 2^-25).
template <class T>
void exponential(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<T> out);

/// Gamma of the given shape > 0 and scale 1 (Marsaglia and Tsang 2000; below 1 by G(a) = G(a+1) U^(1/a)).
/// Computed in double, then rounded to T. NumericalError if the shape is not finite and positive.
template <class T>
void gamma(const Stream& stream, Draw draw, std::uint64_t first_item, T shape, std::span<T> out);

/// Poisson counts: out[i] of mean mean[i] (equal lengths). Inversion below mean 10, above it transformed
/// rejection (PTRS, Hörmann 1993, "The transformed rejection method for generating Poisson random
/// variables"). Computed in double: the same counts for float and double means of equal value.
/// NumericalError naming the item if a mean is negative, not finite or above 2^52.
template <class T>
void poisson(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<const T> mean,
             std::span<std::int64_t> out);

/// 32 random bits per item.
void raw(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<std::uint32_t> out);

/// Integers in [0, bound): high half of word · bound, so probabilities are off by at most bound · 2^-64.
/// InternalError if bound is 0.
void below(const Stream& stream, Draw draw, std::uint64_t first_item, std::uint64_t bound,
           std::span<std::uint64_t> out);

}  // namespace rankflow::parallel
