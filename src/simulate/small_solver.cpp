#include "simulate/small_solver.hpp"

#include <algorithm>
#include <limits>

namespace rankflow::simulate {
namespace {

double norm_of(const Eigen::MatrixXd& matrix) {
  double largest = 0;
  for (Eigen::Index column = 0; column < matrix.cols(); ++column)
    largest = std::max(largest, matrix.col(column).lpNorm<1>());
  return largest;
}

}  // namespace

SmallSolver::SmallSolver(Eigen::Index size)
    : matrix_(size, size),
      identity_(Eigen::MatrixXd::Identity(size, size)),
      inverse_(size, size),
      right_side_(size),
      solution_(size),
      factors_(size) {}

bool SmallSolver::solve() {
  if (!matrix_.allFinite()) return false;
  factors_.compute(matrix_);
  solution_ = factors_.solve(right_side_);
  if (!solution_.allFinite()) return false;
  // Eigen's rcond() only estimates this, with vectors that it allocates at every call.
  inverse_ = factors_.solve(identity_);
  return norm_of(matrix_) * norm_of(inverse_) * std::numeric_limits<double>::epsilon() < 1.0;
}

}  // namespace rankflow::simulate
