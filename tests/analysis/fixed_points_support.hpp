#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <Eigen/LU>

#include "analysis/fixed_points_map.hpp"

namespace rankflow::analysis {

/// A random network z = decay z + V phi(U z, d) with large enough weights for several fixed points.
inline LatentMapArrays random_arrays(std::int64_t neurons, int rank, unsigned seed, bool bias = true,
                                     double strength = 6.0) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  LatentMapArrays arrays;
  arrays.neurons = neurons;
  const double decay = 0.9;
  for (std::int64_t i = 0; i < neurons * rank; ++i) {
    arrays.left.push_back(normal(engine));
    arrays.right.push_back(strength * (1 - decay) / static_cast<double>(neurons) *
                           (arrays.left.back() + 0.5 * normal(engine)));
  }
  for (std::int64_t i = 0; i < neurons; ++i) {
    arrays.shift.push_back(0.0);
    arrays.bias.push_back(bias ? -normal(engine) : 0.0);
  }
  arrays.linear.assign(static_cast<std::size_t>(rank), decay);
  for (int r = 0; r < rank; ++r) arrays.offset.push_back(bias ? 0.0 : 0.1 * normal(engine));
  return arrays;
}

/// Zeros of a system by the obvious way: the affine system of every pattern of active kinks, accepted when its zero has
/// that pattern. 2^kinks systems.
inline std::vector<Eigen::VectorXd> exhaustive_zeros(const KinkedSystem& system) {
  std::vector<Eigen::VectorXd> zeros;
  const auto kinks = static_cast<std::uint32_t>(system.kinks());
  for (std::uint32_t pattern = 0; pattern < 1U << kinks; ++pattern) {
    Eigen::MatrixXd linear = system.linear;
    Eigen::VectorXd constant = system.constant;
    for (std::uint32_t k = 0; k < kinks; ++k) {
      if ((pattern >> k & 1U) == 0) continue;
      linear += Eigen::VectorXd(system.weight(k)) * Eigen::VectorXd(system.normal(k)).transpose();
      constant -= Eigen::VectorXd(system.weight(k)) * system.thresholds[k];
    }
    const Eigen::VectorXd zero = linear.fullPivLu().solve(-constant);
    bool fits = zero.allFinite();
    for (std::uint32_t k = 0; k < kinks && fits; ++k) {
      const double height = system.normal(k).dot(zero) - system.thresholds[k];
      fits = (pattern >> k & 1U) != 0 ? height > -1e-12 : height < 1e-12;
    }
    const bool known = std::any_of(zeros.begin(), zeros.end(), [&](const Eigen::VectorXd& other) {
      return (other - zero).lpNorm<Eigen::Infinity>() < 1e-8 * (1 + zero.lpNorm<Eigen::Infinity>());
    });
    if (fits && !known) zeros.push_back(zero);
  }
  std::sort(zeros.begin(), zeros.end(), [](const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
  });
  return zeros;
}

}  // namespace rankflow::analysis
