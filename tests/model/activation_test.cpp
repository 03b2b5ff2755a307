#include "model/activation.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

namespace rankflow::model {
namespace {

constexpr std::int64_t count = 512;

/// The slow, obvious definition, in long double.
long double oracle(Activation kind, long double x, long double d) {
  const long double s = x + d;
  switch (kind) {
    case Activation::tanh:
      return std::tanh(s);
    case Activation::relu:
      return s > 0 ? s : 0;
    case Activation::clipped_relu:
      return (s > 0 ? s : 0) - (x > 0 ? x : 0);
    case Activation::softplus:
      return std::log1p(std::exp(-std::fabs(s))) + (s > 0 ? s : 0);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-s));
    case Activation::erf:
      return std::erf(std::sqrt(std::numbers::pi_v<long double>) / 2 * s);
    case Activation::identity:
      return s;
  }
  return 0;
}

constexpr Activation all[] = {Activation::tanh,    Activation::relu, Activation::clipped_relu, Activation::softplus,
                              Activation::sigmoid, Activation::erf,  Activation::identity};

template <class T>
struct Tile {
  alignas(64) T x[count];
  alignas(64) T bias[count];
  alignas(64) T out[count];
  Tile() {
    for (std::int64_t i = 0; i < count; ++i) {
      x[i] = static_cast<T>(12.0 * std::sin(0.37 * static_cast<double>(i)));
      bias[i] = static_cast<T>(std::cos(1.1 * static_cast<double>(i)));
    }
  }
};

template <class T>
void expect_rates_near_oracle() {
  Tile<T> tile;
  for (const auto kind : all) {
    tile_rates(kind, tile.x, tile.bias, tile.out, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const long double expected = oracle(kind, tile.x[i], tile.bias[i]);
      // A few units in the last place of the result, of the argument, and of 1 (sigmoid through tanh).
      const long double scale = std::max({std::fabs(expected), 1.0L, std::fabs(static_cast<long double>(tile.x[i]))});
      // xsimd's erf is a rational approximation without a stated bound; 33 units were seen.
      const int units = kind == Activation::erf ? 64 : 8;
      EXPECT_NEAR(static_cast<double>(tile.out[i]), static_cast<double>(expected),
                  static_cast<double>(units * scale * std::numeric_limits<T>::epsilon()))
          << static_cast<int>(kind) << " at " << tile.x[i];
    }
  }
}

TEST(Activation, RatesMatchDefinitionsInDouble) {
  expect_rates_near_oracle<double>();
}
TEST(Activation, RatesMatchDefinitionsInSingle) {
  expect_rates_near_oracle<float>();
}

TEST(Activation, SlopesMatchCentralDifferences) {
  Tile<double> tile;
  const long double h = 1e-5L;
  for (const auto kind : all) {
    tile_slopes(kind, tile.x, tile.bias, tile.out, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const long double x = tile.x[i];
      const long double d = tile.bias[i];
      if (std::fabs(x) < 2 * h || std::fabs(x + d) < 2 * h) continue;  // the kinks of relu
      const long double difference = (oracle(kind, x + h, d) - oracle(kind, x - h, d)) / (2 * h);
      // Truncation: h^2/6 times a third derivative of order 1.
      EXPECT_NEAR(tile.out[i], static_cast<double>(difference), 1e-9) << static_cast<int>(kind) << " at " << tile.x[i];
    }
  }
}

TEST(Activation, NoBiasEqualsZeroBias) {
  Tile<double> tile;
  std::vector<double> with_zero(count);
  for (const auto kind : all) {
    std::fill_n(tile.bias, count, 0.0);
    tile_rates(kind, tile.x, tile.bias, tile.out, count);
    std::copy_n(tile.out, count, with_zero.begin());
    tile_rates<double>(kind, tile.x, nullptr, tile.out, count);
    EXPECT_TRUE(std::equal(with_zero.begin(), with_zero.end(), tile.out));
    std::fill_n(tile.bias, count, 0.5);
    tile_rates(kind, tile.x, tile.bias, tile.out, count);
    EXPECT_FALSE(std::equal(with_zero.begin(), with_zero.end(), tile.out)) << "control: the bias acts";
  }
}

TEST(Activation, PassesNonFiniteValuesOn) {
  Tile<double> tile;
  tile.x[3] = std::nan("");
  for (const auto kind : all) {
    tile_rates(kind, tile.x, tile.bias, tile.out, count);
    EXPECT_TRUE(std::isnan(tile.out[3])) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace rankflow::model
