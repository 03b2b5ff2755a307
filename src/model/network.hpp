#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/network_options.hpp"
#include "model/neuron_array.hpp"
#include "parallel/partition.hpp"

namespace rankflow::model {

using config::Activation;

/// A low-rank recurrent network, this rank's share of the neurons:
///   tau_i dx_i/dt = -leak x_i + sum_r m_ir kappa_r + b_i . u,   kappa = (1/N) sum_j n_j phi(x_j, d_j)
/// (Mastrogiuseppe & Ostojic 2018, eq. 2 with J = m n^T / N). T: precision of the weights.
template <class T>
struct Network {
  parallel::Partition partition;
  int rank = 0;    ///< R
  int inputs = 0;  ///< I
  Activation activation = Activation::tanh;
  NeuronArray<T> m;              ///< [N, R]
  NeuronArray<T> n;              ///< [N, R]
  NeuronArray<T> input_weights;  ///< [N, I]
  NeuronArray<T> bias;           ///< [N], or no column when every bias is 0
  NeuronArray<T> tau;            ///< [N] in s, or no column when shared
  double shared_tau = 0.1;       ///< s; meaningless when tau has a column
  double leak = 1.0;
  std::optional<double> decay;  ///< per-step decay of the discrete-time map, when the source prescribes one
  std::vector<std::string> population_names;
  /// Population of each local neuron in tiles, empty when there is one population only.
  std::vector<std::uint8_t> population;

  std::int64_t neurons() const noexcept { return partition.global_count(); }
  bool has_bias() const noexcept { return bias.columns() > 0; }
  bool has_own_tau() const noexcept { return tau.columns() > 0; }
};

}  // namespace rankflow::model
