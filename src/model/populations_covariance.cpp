#include "model/populations_covariance.hpp"

#include <cmath>

#include <Eigen/Dense>

#include "core/error.hpp"

namespace rankflow::model {
namespace {

Eigen::MatrixXd checked_matrix(const std::vector<std::vector<double>>& rows, std::string_view key) {
  const auto size = std::ssize(rows);
  Eigen::MatrixXd matrix(size, size);
  for (Eigen::Index i = 0; i < size; ++i) {
    const auto& row = rows[static_cast<std::size_t>(i)];
    if (std::ssize(row) != size)
      throw ConfigurationError("{}: row {} has {} values, the matrix has {} rows; a covariance matrix is square", key,
                               i, row.size(), size);
    for (Eigen::Index j = 0; j < size; ++j) {
      const double value = row[static_cast<std::size_t>(j)];
      if (!std::isfinite(value))
        throw ConfigurationError("{}: entry [{}][{}] is {}; give finite numbers", key, i, j, value);
      matrix(i, j) = value;
    }
  }
  return matrix;
}

void require_symmetric(const Eigen::MatrixXd& matrix, std::string_view key) {
  const double tolerance = 1e-12 * matrix.cwiseAbs().maxCoeff();
  for (Eigen::Index i = 0; i < matrix.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j)
      if (std::abs(matrix(i, j) - matrix(j, i)) > tolerance)
        throw ConfigurationError("{}: not symmetric: entry [{}][{}] is {} but entry [{}][{}] is {}; make them equal",
                                 key, i, j, matrix(i, j), j, i, matrix(j, i));
}

}  // namespace

std::vector<std::vector<double>> square_root(const std::vector<std::vector<double>>& covariance, std::string_view key) {
  const Eigen::MatrixXd matrix = checked_matrix(covariance, key);
  if (matrix.size() == 0) return {};
  require_symmetric(matrix, key);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
  const Eigen::VectorXd& eigenvalues = solver.eigenvalues();
  const double smallest = eigenvalues.minCoeff();
  if (smallest < -1e-10 * eigenvalues.cwiseAbs().maxCoeff())
    throw ConfigurationError(
        "{}: not positive semidefinite: its smallest eigenvalue is {:.6g}, no Gaussian has this covariance; reduce the "
        "off-diagonal entries or add at least {:.6g} to the diagonal",
        key, smallest, -smallest);
  const Eigen::MatrixXd scaled = solver.eigenvectors() * eigenvalues.cwiseMax(0.0).cwiseSqrt().asDiagonal();
  const Eigen::MatrixXd root = scaled * solver.eigenvectors().transpose();
  // What the eigenvectors' rounding leaves between uncorrelated variables is none of their covariance.
  const double noise = 1e-15 * root.cwiseAbs().maxCoeff();
  std::vector<std::vector<double>> rows;
  for (Eigen::Index i = 0; i < root.rows(); ++i) {
    auto& row = rows.emplace_back();
    for (Eigen::Index j = 0; j < root.cols(); ++j) row.push_back(std::abs(root(i, j)) > noise ? root(i, j) : 0.0);
  }
  return rows;
}

}  // namespace rankflow::model
