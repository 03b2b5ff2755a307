#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "parallel/communicator.hpp"
#include "parallel/partition.hpp"
#include "parallel/tree_sum.hpp"

namespace rankflow::connectivity {

/// Sum over all neurons of a matrix, tile by tile in ascending order on each rank; bitwise equal at any rank count.
class NeuronSums {
 public:
  NeuronSums(const parallel::Partition& partition, Eigen::Index rows, Eigen::Index columns);
  /// Adds the sum over the rank's next tile.
  void add(const Eigen::MatrixXd& tile) { sums_.add({tile.data(), static_cast<std::size_t>(tile.size())}); }
  /// The sum, on every rank. Collective.
  Eigen::MatrixXd finish(const parallel::Communicator& comm);

 private:
  const parallel::Partition& partition_;
  Eigen::Index rows_, columns_;
  parallel::TreeSum sums_;
};

}  // namespace rankflow::connectivity
