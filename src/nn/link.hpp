#pragma once
#include <type_traits>

#include "config/simulate_options.hpp"
#include "nn/lanes.hpp"

/// The mean of observations from their affine predictor s, and its slope d mean / d s: one functor for each link, so
/// that kernels are compiled per link.
namespace rankflow::nn {

/// Added to softplus and relu means: the logarithm of a mean must exist (Pals et al. 2024, suppl. C).
template <class T>
inline constexpr T smallest_mean = static_cast<T>(1e-6);

struct IdentityLink {
  template <class T>
  static xsimd::batch<T> mean(const xsimd::batch<T>& s) {
    return s;
  }
  template <class T>
  static xsimd::batch<T> slope(const xsimd::batch<T>&, const xsimd::batch<T>&) {
    return xsimd::batch<T>(T(1));
  }
};

struct ExponentialLink {
  template <class T>
  static xsimd::batch<T> mean(const xsimd::batch<T>& s) {
    return xsimd::exp(s);
  }
  template <class T>
  static xsimd::batch<T> slope(const xsimd::batch<T>&, const xsimd::batch<T>& mean) {
    return mean;
  }
};

struct SoftplusLink {
  template <class T>
  static xsimd::batch<T> mean(const xsimd::batch<T>& s) {
    return softplus(s) + xsimd::batch<T>(smallest_mean<T>);
  }
  template <class T>
  static xsimd::batch<T> slope(const xsimd::batch<T>& s, const xsimd::batch<T>&) {
    return sigmoid(s);
  }
};

struct ReluLink {
  template <class T>
  static xsimd::batch<T> mean(const xsimd::batch<T>& s) {
    return xsimd::max(xsimd::batch<T>(T(0)), s) + xsimd::batch<T>(smallest_mean<T>);
  }
  template <class T>
  static xsimd::batch<T> slope(const xsimd::batch<T>& s, const xsimd::batch<T>&) {
    using Batch = xsimd::batch<T>;
    return xsimd::select(s > Batch(T(0)), Batch(T(1)), Batch(T(0)));
  }
};

/// Calls `action` with the functor of `link`.
template <class Action>
decltype(auto) with_link(config::Link link, const Action& action) {
  switch (link) {
    case config::Link::exponential:
      return action(ExponentialLink{});
    case config::Link::softplus:
      return action(SoftplusLink{});
    case config::Link::relu:
      return action(ReluLink{});
    case config::Link::identity:
      break;
  }
  return action(IdentityLink{});
}

/// counts log(mean) - mean, the logarithm of the probability of counts but for log(counts!); 0 log 0 = 0.
template <class Link, class T>
xsimd::batch<T> poisson_log_mass(const xsimd::batch<T>& counts, const xsimd::batch<T>& s) {
  using Batch = xsimd::batch<T>;
  const Batch mean = Link::mean(s);
  // Where the mean under- or overflows its logarithm would be lost: s itself.
  if constexpr (std::is_same_v<Link, ExponentialLink>)
    return counts * s - mean;
  else
    return xsimd::select(counts == Batch(T(0)), Batch(T(0)), counts * xsimd::log(mean)) - mean;
}

/// d poisson_log_mass / d s, mean = Link::mean(s).
template <class Link, class T>
xsimd::batch<T> poisson_log_mass_slope(const xsimd::batch<T>& counts, const xsimd::batch<T>& s,
                                       const xsimd::batch<T>& mean) {
  using Batch = xsimd::batch<T>;
  if constexpr (std::is_same_v<Link, ExponentialLink>)
    return counts - mean;
  else
    return xsimd::select(counts == Batch(T(0)), Batch(T(-1)), counts / mean - Batch(T(1))) * Link::slope(s, mean);
}

}  // namespace rankflow::nn
