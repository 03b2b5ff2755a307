#pragma once
#include <vector>

#include "model/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/ode_system.hpp"
#include "simulate/small_solver.hpp"

namespace rankflow::simulate {

/// The latent state y = (z [R], v [I]), the same on every rank; only the sum over neurons is distributed:
///   tau dz/dt = -leak z + (1/N) n^T phi(m z + b v, d),   tau dv/dt = -leak v + u(t)
/// (Beiran et al. 2021, eqs. 9 and 10). Exact for a shared time constant and x(0) in the span of m and b.
class LatentSystem final : public OdeSystem {
 public:
  /// All arguments must outlive the system. Throws ConfigurationError for per-neuron time constants.
  LatentSystem(const model::Network<double>& network, model::Inputs& inputs, const parallel::Communicator& comm);

  std::int64_t local_size() const override { return network_.rank + network_.inputs; }
  std::int64_t global_size() const override { return local_size(); }
  void rhs(double t, const double* y, double* ydot) override;
  bool newton_solve(double gamma, const double* y, const double* b, double* x) override;
  void jacobian_times(const double* y, const double* v, double* jv) override;
  bool newton_is_exact() const override { return true; }

 private:
  /// jacobian_ at y: one pass over the neurons, one message of R (R + I) sums.
  void evaluate_jacobian(const double* y);
  void add_tile_slopes(std::int64_t tile, const double* y);
  std::size_t slope_index(int row, int column) const;

  const model::Network<double>& network_;
  const parallel::Communicator& comm_;
  parallel::ReproducibleSum drive_sum_, slope_sum_;
  std::vector<double> tile_sums_;  ///< [R]
  std::vector<double> drive_;      ///< [R]
  std::vector<double> slopes_;     ///< [R, R + I]
  Eigen::MatrixXd jacobian_;
  SmallSolver newton_;
};

}  // namespace rankflow::simulate
