#include "connectivity/neuron_sums.hpp"

namespace rankflow::connectivity {
namespace {

std::int64_t tiles_of(std::int64_t neurons) {
  return (neurons + parallel::tile_size - 1) / parallel::tile_size;
}

}  // namespace

NeuronSums::NeuronSums(const parallel::Partition& partition, Eigen::Index rows, Eigen::Index columns)
    : partition_(partition),
      rows_(rows),
      columns_(columns),
      sums_(tiles_of(partition.global_count()), static_cast<std::int64_t>(rows * columns)) {
  const auto first = partition.tile_begin(0) / parallel::tile_size;
  sums_.start(first, first + partition.tiles());
}

Eigen::MatrixXd NeuronSums::finish(const parallel::Communicator& comm) {
  std::vector<std::int64_t> bounds = {0};
  for (const auto tiles : comm.all_gather(partition_.tiles())) bounds.push_back(bounds.back() + tiles);
  Eigen::MatrixXd sum(rows_, columns_);
  sums_.finish(comm, bounds, {sum.data(), static_cast<std::size_t>(sum.size())});
  return sum;
}

}  // namespace rankflow::connectivity
