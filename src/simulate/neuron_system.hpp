#pragma once
#include <vector>

#include "model/bulk.hpp"
#include "model/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/ode_system.hpp"
#include "simulate/woodbury.hpp"

namespace rankflow::simulate {

/// The potential of every neuron:
///   tau_i dx_i/dt = -leak x_i + sum_r m_ir kappa_r + b_i . u(t) + (g chi phi(x))_i,  kappa_r = (1/N) sum_j n_jr phi_j
/// (Mastrogiuseppe & Ostojic 2018, eq. 1). Vectors are this rank's neurons in whole tiles, padding 0.
class NeuronSystem final : public OdeSystem {
 public:
  /// `bulk` may be null. All arguments must outlive the system.
  NeuronSystem(const model::Network<double>& network, const model::Bulk* bulk, model::Inputs& inputs,
               const parallel::Communicator& comm);

  std::int64_t local_size() const override { return network_.partition.padded_count(); }
  std::int64_t global_size() const override { return network_.neurons(); }
  void rhs(double t, const double* y, double* ydot) override;
  bool newton_solve(double gamma, const double* y, const double* b, double* x) override;
  void jacobian_times(const double* y, const double* v, double* jv) override;
  bool newton_is_exact() const override { return bulk_ == nullptr; }

 private:
  void add_sums(std::span<const double> tile_sums);
  /// kappa_ of the sums added before.
  void reduce();
  void apply_bulk();
  /// out_i = (drive_i + bulk_i - leak x_i)/tau_i of one tile, drive = m kappa + b u; `u` may be null.
  void write_tile(std::int64_t tile, const double* u, const double* x, double* out) const;

  const model::Network<double>& network_;
  const model::Bulk* bulk_;
  const parallel::Communicator& comm_;
  Woodbury woodbury_;
  parallel::ReproducibleSum population_sum_;
  std::vector<double> tile_sums_;               ///< [R]
  std::vector<double> kappa_;                   ///< [R]
  model::NeuronArray<double> rates_, current_;  ///< with a bulk: what it multiplies and the product
};

}  // namespace rankflow::simulate
