#pragma once
#include <vector>

#include "model/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/reproducible_sum.hpp"
#include "simulate/small_solver.hpp"

namespace rankflow::simulate {

/// Solves Newton's equation of the neurons, (I - gamma J) x = b, where J is diagonal plus rank R:
///   J = diag(-leak/tau_i) + U V^T,  U_ir = m_ir/tau_i,  V_jr = n_jr phi'(y_j)/N,
/// by the Woodbury identity (Golub & Van Loan, Matrix Computations, eq. 2.1.4): O(N R^2) work, one message of R^2 + R
/// sums, one R x R factorisation that every rank repeats.
class Woodbury {
 public:
  /// `network` and `comm` must outlive the solver.
  Woodbury(const model::Network<double>& network, const parallel::Communicator& comm);

  /// y, b, x: this rank's neurons in whole tiles, padding 0 (and 0 in x). x may be b. False, x unchanged, when the
  /// R x R matrix is singular to working precision. Collective.
  bool solve(double gamma, const double* y, const double* b, double* x);

 private:
  void add_tile_sums(std::int64_t tile, double gamma, const double* y, const double* b);
  bool solve_small(double gamma);
  void write_tile(std::int64_t tile, double gamma, const double* b, double* x) const;
  double tau(std::int64_t tile, std::int64_t i) const;
  /// Where sums_ holds entry (row, column) of the matrix; column R is the vector.
  std::size_t index(int row, int column) const;

  const model::Network<double>& network_;
  const parallel::Communicator& comm_;
  parallel::ReproducibleSum population_sum_;
  std::vector<double> sums_;  ///< V^T (I - gamma D)^-1 (U, b), [R, R + 1]
  SmallSolver small_;
};

}  // namespace rankflow::simulate
