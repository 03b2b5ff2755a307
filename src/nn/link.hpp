#pragma once
#include "config/simulate_options.hpp"
#include "nn/lanes.hpp"

namespace rankflow::nn {

/// Added to softplus and relu means: the logarithm of a mean must exist (Pals et al. 2024, suppl. C).
template <class T>
inline constexpr T smallest_mean = static_cast<T>(1e-6);

/// Mean and its slope d mean / d s.
template <class T>
struct LinkedMean {
  xsimd::batch<T> mean;
  xsimd::batch<T> slope;
};

/// The mean of observations from their affine predictor s.
template <class T>
LinkedMean<T> apply_link(config::Link link, const xsimd::batch<T>& s) {
  using Batch = xsimd::batch<T>;
  const Batch one(T(1));
  switch (link) {
    case config::Link::exponential: {
      const Batch mean = xsimd::exp(s);
      return {mean, mean};
    }
    case config::Link::softplus:
      return {softplus(s) + Batch(smallest_mean<T>), sigmoid(s)};
    case config::Link::relu:
      return {xsimd::max(Batch(T(0)), s) + Batch(smallest_mean<T>), xsimd::select(s > Batch(T(0)), one, Batch(T(0)))};
    case config::Link::identity:
      break;
  }
  return {s, one};
}

}  // namespace rankflow::nn
