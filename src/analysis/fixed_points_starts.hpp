#pragma once
#include <cstdint>

#include <Eigen/Core>

#include "parallel/random_stream.hpp"

namespace rankflow::analysis {

/// What random starts are used for: each use has numbers of its own.
enum class StartUse : std::uint32_t { newton = 0, basins = 1, cycles = 2 };

/// Gaussian starts; start i is the same on any rank, and does not depend on how many there are.
class RandomStarts {
 public:
  /// centre + scale * spread * normal, per latent. `step` tells several searches of one use apart.
  RandomStarts(std::uint64_t seed, StartUse use, std::uint32_t step, Eigen::VectorXd centre, Eigen::VectorXd spread);
  Eigen::VectorXd start(std::int64_t number) const;

 private:
  parallel::Stream stream_;
  parallel::Draw draw_;
  Eigen::VectorXd centre_;
  Eigen::VectorXd spread_;
};

}  // namespace rankflow::analysis
