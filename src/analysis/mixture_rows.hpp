#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/mixture_model.hpp"
#include "analysis/sinkhorn.hpp"
#include "model/network.hpp"
#include "model/neuron_array.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// Rows that a mixture is fitted to, this rank's share in tiles: variables scaled to mean 0 and variance 1. A variable
/// without variance is left out.
class MixtureRows {
 public:
  /// (m, n, b, d) of every neuron: 2R + I variables, and one more if the network has biases. Collective. Throws
  /// InputDataError when a value is not finite or nothing varies.
  MixtureRows(const model::Network<double>& network, const parallel::Communicator& comm);
  /// The same for points that every rank has.
  MixtureRows(const PointCloud& points, const parallel::Communicator& comm);

  const parallel::Partition& partition() const noexcept { return partition_; }
  /// Variables that vary.
  int variables() const noexcept { return static_cast<int>(kept_.size()); }
  /// Scaled values of one variable in a tile.
  const double* tile(std::int64_t tile, int variable) const noexcept { return values_.tile(tile, variable); }
  const double& at(std::int64_t local, int variable) const noexcept { return values_.at(local, variable); }
  /// Places of the variables among all of them.
  const std::vector<int>& kept() const noexcept { return kept_; }
  /// A mixture of the scaled variables as one of all variables in their own units.
  MixtureModel in_own_units(const MixtureModel& scaled) const;
  /// log |d scaled / d own|: what to add to a log-density of scaled rows, nats.
  double log_scale() const noexcept;

 private:
  using Fill = std::function<void(std::int64_t tile, int variable, std::span<double> column)>;

  void read(int variables, const Fill& fill, const parallel::Communicator& comm);

  parallel::Partition partition_;
  model::NeuronArray<double> values_;
  std::vector<int> kept_;
  std::vector<double> centre_, scale_;  // of all variables
};

}  // namespace rankflow::analysis
