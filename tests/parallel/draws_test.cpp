#include "parallel/draws.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace rankflow::parallel {
namespace {

const Draw some_draw{.trial = 3, .step = 141592, .index = 65535};

template <class T>
using Fill = std::function<void(const Stream&, Draw, std::uint64_t, std::span<T>)>;

template <class T>
std::vector<T> draw_all(const Fill<T>& fill, std::uint64_t first_item, std::size_t count, std::uint64_t seed = 1) {
  std::vector<T> out(count);
  fill(Stream(seed, Purpose::test), some_draw, first_item, out);
  return out;
}

/// Poisson means that depend on the item alone: zero, small, large and both sides of the switch at 10.
double mean_of_item(std::uint64_t item) {
  const double means[] = {0.0, 0.01, 2.5, 9.999, 10.0, 500.0, 1e6};
  return means[item % 7];
}

template <class T>
Fill<std::int64_t> poisson_fill() {
  return [](const Stream& stream, Draw draw, std::uint64_t first_item, std::span<std::int64_t> out) {
    std::vector<T> means;
    for (std::uint64_t i = 0; i < out.size(); ++i) means.push_back(static_cast<T>(mean_of_item(first_item + i)));
    poisson<T>(stream, draw, first_item, means, out);
  };
}

template <class T>
Fill<T> gamma_fill(T shape) {
  return [shape](const Stream& stream, Draw draw, std::uint64_t first_item, std::span<T> out) {
    gamma<T>(stream, draw, first_item, shape, out);
  };
}

Fill<std::uint64_t> below_fill(std::uint64_t bound) {
  return [bound](const Stream& stream, Draw draw, std::uint64_t first_item, std::span<std::uint64_t> out) {
    below(stream, draw, first_item, bound, out);
  };
}

/// Any cut of any range gives the same bits; other items and other seeds do not.
template <class T>
void expect_same_bits_for_any_cut(const std::string& name, const Fill<T>& fill) {
  SCOPED_TRACE(name);
  constexpr std::size_t total = 1000;
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{13}, (std::uint64_t{1} << 48) - total}) {
    const std::vector<T> whole = draw_all(fill, first, total);
    EXPECT_NE(whole, draw_all(fill, first == 0 ? 1 : first - 1, total));
    EXPECT_NE(whole, draw_all(fill, first, total, 2));
    for (const std::size_t width : {1u, 3u, 16u, 32u, 63u, 64u, 77u}) {
      std::vector<T> pieces(total);
      for (std::size_t begin = 0; begin < total; begin += width) {
        fill(Stream(1, Purpose::test), some_draw, first + begin,
             std::span(pieces).subspan(begin, std::min(width, total - begin)));
      }
      ASSERT_EQ(pieces, whole) << "pieces of " << width << " from item " << first;
    }
  }
}

TEST(Draws, AreTheSameBitsForAnyCutOfARange) {
  expect_same_bits_for_any_cut<std::uint32_t>("raw", raw);
  expect_same_bits_for_any_cut<std::uint64_t>("below", below_fill(1000003));
  expect_same_bits_for_any_cut<float>("uniform float", uniform<float>);
  expect_same_bits_for_any_cut<double>("uniform double", uniform<double>);
  expect_same_bits_for_any_cut<float>("normal float", normal<float>);
  expect_same_bits_for_any_cut<double>("normal double", normal<double>);
  expect_same_bits_for_any_cut<float>("exponential float", exponential<float>);
  expect_same_bits_for_any_cut<double>("exponential double", exponential<double>);
  expect_same_bits_for_any_cut<float>("gamma float", gamma_fill(0.4f));
  expect_same_bits_for_any_cut<double>("gamma double", gamma_fill(2.5));
  expect_same_bits_for_any_cut<std::int64_t>("poisson float", poisson_fill<float>());
  expect_same_bits_for_any_cut<std::int64_t>("poisson double", poisson_fill<double>());
}

/// The documented counter layout, computed one item at a time.
std::uint64_t word_of_item(std::uint64_t item) {
  const std::uint64_t in_tile = item % tile_words;
  const std::uint64_t block = item / tile_words * tile_blocks + in_tile % tile_blocks;
  const PhiloxBlock output =
      philox(Stream(1, Purpose::test).key(),
             {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32) | (some_draw.index << 16),
              some_draw.step, some_draw.trial});
  const std::size_t half = in_tile < tile_blocks ? 0 : 2;
  return output[half] | (std::uint64_t{output[half + 1]} << 32);
}

TEST(Draws, FollowTheDocumentedCounterLayout) {
  const std::uint64_t first = 0x123456789a;
  constexpr std::size_t count = 200;
  const auto bits = draw_all<std::uint32_t>(raw, 2 * first, 2 * count);
  const auto numbers = draw_all<double>(uniform<double>, first, count);
  const auto integers = draw_all<std::uint64_t>(below_fill(std::uint64_t{1} << 20), first, count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t word = word_of_item(first + i);
    EXPECT_EQ(bits[2 * i], static_cast<std::uint32_t>(word));
    EXPECT_EQ(bits[2 * i + 1], static_cast<std::uint32_t>(word >> 32));
    EXPECT_EQ(numbers[i], (static_cast<double>(word & 0xfffffffffffff) + 0.5) * 0x1p-52);
    EXPECT_EQ(integers[i], word >> 44);
  }
}

/// Box-Muller in long hand: radius from one word, angle from another.
std::pair<double, double> slow_normals(double radius_unit, double angle_unit, bool negative, bool swapped) {
  const double radius = std::sqrt(-2.0 * std::log(radius_unit));
  const double angle = (angle_unit - 0.5) * std::numbers::pi / 2.0;
  const double cosine = negative ? -std::cos(angle) : std::cos(angle);
  const double sine = std::sin(angle);
  return swapped ? std::pair{radius * sine, radius * cosine} : std::pair{radius * cosine, radius * sine};
}

TEST(Draws, DoubleNormalsAgreeWithScalarBoxMuller) {
  const auto fast = draw_all<double>(normal<double>, 0, 64 * tile_words);
  for (std::uint64_t tile = 0; tile < 64; ++tile) {
    for (std::uint64_t lane = 0; lane < tile_blocks; ++lane) {
      const std::uint64_t item = tile * tile_words + lane;
      const std::uint64_t a = word_of_item(item);
      const std::uint64_t b = word_of_item(item + tile_blocks);
      const auto unit = [](std::uint64_t w) { return (static_cast<double>(w & 0xfffffffffffff) + 0.5) * 0x1p-52; };
      const auto [first, second] = slow_normals(unit(a), unit(b), (b >> 63) != 0, ((b >> 62) & 1) != 0);
      // A few roundings of the logarithm, the root, the angle and the sine: 8 units in the last place.
      EXPECT_NEAR(fast[item], first, 8 * 0x1p-52 * std::abs(first) + 1e-300);
      EXPECT_NEAR(fast[item + tile_blocks], second, 8 * 0x1p-52 * std::abs(second) + 1e-300);
    }
  }
}

TEST(Draws, FloatNormalsAgreeWithScalarBoxMuller) {
  constexpr std::size_t items = 2 * tile_words;
  const auto fast = draw_all<float>(normal<float>, 0, 64 * items);
  const auto bits = draw_all<std::uint32_t>(raw, 0, 64 * items);
  for (std::size_t tile = 0; tile < 64; ++tile) {
    for (std::size_t lane = 0; lane < items / 2; ++lane) {
      const std::size_t item = tile * items + lane;
      const std::uint32_t a = bits[item];
      const std::uint32_t b = bits[item + items / 2];
      // The uniform number is rounded to float before its logarithm is taken, here as there.
      const float radius_unit = std::fma(static_cast<float>(a >> 1), 0x1p-31f, 0x1p-32f);
      const double angle_unit = (static_cast<double>(b & 0x7fffff) + 0.5) * 0x1p-23;
      const auto [first, second] = slow_normals(radius_unit, angle_unit, (b >> 31) != 0, ((b >> 30) & 1) != 0);
      EXPECT_NEAR(fast[item], first, 8 * 0x1p-23 * std::abs(first) + 1e-30);
      EXPECT_NEAR(fast[item + items / 2], second, 8 * 0x1p-23 * std::abs(second) + 1e-30);
    }
  }
}

TEST(Draws, PoissonCountsDependOnlyOnTheMeanOfTheirItem) {
  constexpr std::size_t count = 320;
  const Stream stream(1, Purpose::test);
  std::vector<double> means(count, 3.0);
  std::vector<std::int64_t> before(count);
  std::vector<std::int64_t> after(count);
  poisson<double>(stream, some_draw, 0, means, before);
  for (std::size_t i = 0; i < count; i += 2) means[i] = 1000.0;
  poisson<double>(stream, some_draw, 0, means, after);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 2 == 0) {
      EXPECT_NE(after[i], before[i]);
    } else {
      EXPECT_EQ(after[i], before[i]);
    }
  }
}

TEST(Draws, PoissonGivesEqualCountsForFloatAndDoubleMeans) {
  const std::vector<float> single(500, 0.75f);
  const std::vector<double> twice(500, 0.75);
  const std::vector<double> other(500, 0.7);
  std::vector<std::int64_t> from_single(500), from_double(500), from_other(500);
  const Stream stream(1, Purpose::test);
  poisson<float>(stream, {}, 0, single, from_single);
  poisson<double>(stream, {}, 0, twice, from_double);
  poisson<double>(stream, {}, 0, other, from_other);
  EXPECT_EQ(from_single, from_double);
  EXPECT_NE(from_single, from_other);
}

TEST(Draws, PoissonOfMeanZeroIsZero) {
  const std::vector<double> means(1000, 0.0);
  std::vector<std::int64_t> counts(1000, -1);
  poisson<double>(Stream(1, Purpose::test), {}, 0, means, counts);
  EXPECT_THAT(counts, ::testing::Each(0));
}

TEST(Draws, PoissonNamesTheItemOfABadMean) {
  const double bad[] = {-1e-9, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                        0x1p53};
  for (const double mean : bad) {
    std::vector<double> means(40, 1.0);
    std::vector<std::int64_t> counts(40);
    const Stream stream(1, Purpose::test);
    EXPECT_NO_THROW(poisson<double>(stream, {}, 1000, means, counts));
    means[17] = mean;
    try {
      poisson<double>(stream, {}, 1000, means, counts);
      ADD_FAILURE() << "accepted the mean " << mean;
    } catch (const NumericalError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("mean of item 1017 is"));
    }
  }
}

TEST(Draws, RefuseWhatTheyCannotDo) {
  const Stream stream(1, Purpose::test);
  std::vector<double> out(3);
  std::vector<std::uint64_t> integers(3);
  std::vector<std::int64_t> counts(3);
  const std::vector<double> two_means(2, 1.0);
  EXPECT_NO_THROW(normal<double>(stream, {.index = 65535}, (std::uint64_t{1} << 48) - 3, out));
  EXPECT_THROW(normal<double>(stream, {.index = 65536}, 0, out), InternalError);
  EXPECT_THROW(normal<double>(stream, {}, (std::uint64_t{1} << 48) - 2, out), InternalError);
  EXPECT_THROW(normal<double>(stream, {}, ~std::uint64_t{0}, out), InternalError);
  EXPECT_THROW(below(stream, {}, 0, 0, integers), InternalError);
  EXPECT_THROW(poisson<double>(stream, {}, 0, two_means, counts), InternalError);
  for (const double shape :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(gamma<double>(stream, {}, 0, shape, out), NumericalError) << shape;
  }
}

TEST(Draws, UniformNumbersStayInsideTheOpenInterval) {
  // 2^26 floats of 23 random bits: unguarded, 0 would be missing with a probability of exp(-8) only.
  const Stream stream(1, Purpose::test);
  std::vector<float> singles(1 << 20);
  std::vector<double> doubles(1 << 20);
  float least = 1.0f;
  float greatest = 0.0f;
  for (std::uint32_t step = 0; step < 64; ++step) {
    uniform<float>(stream, {.step = step}, 0, singles);
    const auto [low, high] = std::minmax_element(singles.begin(), singles.end());
    least = std::min(least, *low);
    greatest = std::max(greatest, *high);
  }
  EXPECT_EQ(least, 0x1p-24f);
  EXPECT_EQ(greatest, 1.0f - 0x1p-24f);
  uniform<double>(stream, {}, 0, doubles);
  for (const double x : doubles) ASSERT_TRUE(x > 0.0 && x < 1.0) << x;
}

TEST(Draws, BelowOneIsZeroAndBelowTheLargestBoundKeepsTheHighBits) {
  EXPECT_THAT(draw_all<std::uint64_t>(below_fill(1), 0, 100), ::testing::Each(0u));
  const auto integers = draw_all<std::uint64_t>(below_fill(~std::uint64_t{0}), 0, 100);
  for (std::size_t i = 0; i < integers.size(); ++i) {
    EXPECT_LE(word_of_item(i) - integers[i], 1u);
  }
}

}  // namespace
}  // namespace rankflow::parallel
