#pragma once
#include <Eigen/Dense>

namespace rankflow::simulate {

/// A x = b for the small dense matrix of a Newton step, factorised anew every time in memory of its own: nothing is
/// allocated after construction.
class SmallSolver {
 public:
  explicit SmallSolver(Eigen::Index size);

  /// A and b, to be filled before solve(). [size, size] and [size].
  Eigen::MatrixXd& matrix() noexcept { return matrix_; }
  Eigen::VectorXd& right_side() noexcept { return right_side_; }
  /// False when A is not finite or singular to working precision: 1 / (|A| |A^-1|) in the 1-norm at most epsilon.
  bool solve();
  const Eigen::VectorXd& solution() const noexcept { return solution_; }

 private:
  Eigen::MatrixXd matrix_, identity_, inverse_;
  Eigen::VectorXd right_side_, solution_;
  Eigen::PartialPivLU<Eigen::MatrixXd> factors_;
};

}  // namespace rankflow::simulate
