#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "analysis/fixed_points_map.hpp"
#include "parallel/communicator.hpp"

namespace rankflow::analysis {

/// The residual of a LatentMap times the deflation factor of known fixed points.
class DeflatedResidual {
 public:
  /// `length`: s in the factor, the distance at which a known point is felt.
  DeflatedResidual(const LatentMap& map, double length) : map_(map), length_(length) {}

  void forget(const Eigen::VectorXd& place) { known_.push_back(place); }
  Eigen::VectorXd value(const Eigen::VectorXd& z) const;
  Eigen::MatrixXd jacobian(const Eigen::VectorXd& z) const;
  const LatentMap& map() const noexcept { return map_; }

 private:
  double factor(const Eigen::VectorXd& z) const;

  const LatentMap& map_;
  double length_;
  std::vector<Eigen::VectorXd> known_;
};

/// Newton's method by PETSc SNES for one small dense system, used again for many starts.
class NewtonSolver {
 public:
  /// `residual` must outlive the solver. Residuals below `tolerance` are zero.
  NewtonSolver(const DeflatedResidual& residual, double tolerance, const parallel::Communicator& comm);
  ~NewtonSolver();
  NewtonSolver(const NewtonSolver&) = delete;
  NewtonSolver& operator=(const NewtonSolver&) = delete;

  /// Where it converged to, or nothing.
  std::optional<Eigen::VectorXd> solve(const Eigen::VectorXd& start);

 private:
  struct Petsc;
  std::unique_ptr<Petsc> petsc_;
};

}  // namespace rankflow::analysis
