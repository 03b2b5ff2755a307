#include <cmath>

#include "parallel/draws.hpp"
#include "parallel/draws_poisson_pmf.hpp"
#include "parallel/draws_rejection.hpp"

namespace rankflow::parallel {
namespace {

constexpr double smallest_rejection_mean = 10.0;
/// Above it a double no longer holds every count.
constexpr double largest_mean = 0x1p52;

/// Smallest k with u ≤ P(count ≤ k). Ends too when rounding keeps the sum below u.
std::int64_t invert(double mean, double probability_of_none, double u) {
  std::int64_t k = 0;
  double term = probability_of_none;
  double sum = term;
  while (u > sum) {
    term *= mean / static_cast<double>(k + 1);
    const double next = sum + term;
    if (next == sum) break;
    sum = next;
    ++k;
  }
  return k;
}

/// Algorithm PTRS of Hörmann (1993), Insurance: Mathematics and Economics 12, in the names of the paper:
/// sets `count` from two uniform numbers in (0,1), or returns false if they are rejected.
bool attempt(double mean, double uniform_u, double v, std::int64_t& count) {
  const double b = 0.931 + 2.53 * std::sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double u = uniform_u - 0.5;
  const double us = 0.5 - std::abs(u);
  const double k = std::floor((2.0 * a / us + b) * u + mean + 0.43);
  const bool inside = us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2.0);
  if (!inside) {
    if (k < 0.0 || (us < 0.013 && v > us)) return false;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    if (std::log(v * inverse_alpha / (a / (us * us) + b)) > log_poisson_probability(k, mean)) return false;
  }
  count = static_cast<std::int64_t>(k);
  return true;
}

/// Round 0 holds the numbers of inversion, attempt n those of rounds 1 + 2n and 2 + 2n.
[[gnu::noinline]] void poisson_tile(const TileSource& source, std::uint64_t tile, const TileValues& means,
                                    std::array<std::int64_t, tile_words>& counts) {
  TileValues first;
  TileValues second;
  round_uniforms(source, tile, 0, first);
  exponentials_of_negative(means, second);
  Pending pending;
  for (std::size_t item = 0; item < means.size(); ++item) {
    if (means[item] < smallest_rejection_mean) {
      counts[item] = invert(means[item], second[item], first[item]);
    } else {
      pending.add(item);
    }
  }
  for (std::uint32_t round = 1; pending.any(); round += 2) {
    round_uniforms(source, tile, round, first);
    round_uniforms(source, tile, round + 1, second);
    pending.try_each([&](std::size_t item) { return attempt(means[item], first[item], second[item], counts[item]); });
  }
}

template <class T>
void require_means(std::uint64_t first_item, std::span<const T> mean, std::size_t counts) {
  if (mean.size() != counts) {
    throw InternalError("poisson random numbers: {} means for {} counts; give one each", mean.size(), counts);
  }
  for (std::size_t i = 0; i < counts; ++i) {
    const auto value = static_cast<double>(mean[i]);
    if (value >= 0.0 && value <= largest_mean) continue;
    throw NumericalError(
        "poisson random numbers: the mean of item {} is {}; allowed are 0 to {:g}. Check the rates (or the step "
        "of time) that lead to it",
        first_item + i, value, largest_mean);
  }
}

}  // namespace

template <class T>
void poisson(const Stream& stream, Draw draw, std::uint64_t first_item, std::span<const T> mean,
             std::span<std::int64_t> out) {
  require_valid(draw, first_item, out.size());
  require_means(first_item, mean, out.size());
  const TileSource source(stream, draw);
  for_pieces(first_item, out.size(), tile_words, [&](const Piece& piece) {
    TileValues means{};  // items that nobody asked for have mean 0
    std::array<std::int64_t, tile_words> counts;
    for (std::size_t i = 0; i < piece.count; ++i) {
      means[piece.offset + i] = static_cast<double>(mean[piece.begin + i]);
    }
    poisson_tile(source, piece.tile, means, counts);
    std::copy_n(counts.data() + piece.offset, piece.count, out.data() + piece.begin);
  });
}

template void poisson(const Stream&, Draw, std::uint64_t, std::span<const float>, std::span<std::int64_t>);
template void poisson(const Stream&, Draw, std::uint64_t, std::span<const double>, std::span<std::int64_t>);

}  // namespace rankflow::parallel
