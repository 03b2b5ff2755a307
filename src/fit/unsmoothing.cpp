#include "fit/unsmoothing.hpp"

#include <Eigen/SparseCore>
#include <Eigen/SparseLU>
#include <limits>
#include <numeric>
#include <vector>

#include "core/error.hpp"

namespace rankflow::fit {
namespace {

using Matrix = Eigen::SparseMatrix<double>;

/// [[weight I, H], [Hᵀ, −weight I]]: its solution for (y, 0) has the x that minimises |y − H x|² + weight² |x|². Normal
/// equations would square the condition of H.
Matrix augmented(Eigen::Index times, std::span<const double> kernel, double weight) {
  const auto points = static_cast<Eigen::Index>(kernel.size());
  const Eigen::Index unknowns = times + points - 1;
  std::vector<Eigen::Triplet<double>> entries;
  for (Eigen::Index t = 0; t < times; ++t) {
    entries.emplace_back(t, t, weight);
    for (Eigen::Index k = 0; k < points; ++k) {
      const double value = kernel[static_cast<std::size_t>(k)];
      if (value == 0) continue;
      entries.emplace_back(t, times + t + k, value);
      entries.emplace_back(times + t + k, t, value);
    }
  }
  for (Eigen::Index x = times; x < times + unknowns; ++x) entries.emplace_back(x, x, -weight);
  Matrix matrix(times + unknowns, times + unknowns);
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

double deviation(const Eigen::MatrixXd& values) {
  return (values.rowwise() - values.colwise().mean()).norm();
}

}  // namespace

Eigen::MatrixXd unsmoothed(const Eigen::MatrixXd& y, std::span<const double> kernel) {
  if (kernel.size() % 2 == 0) throw InternalError("a smoothing kernel of {} points", kernel.size());
  // Recordings are mostly kept in single precision: what the kernel made smaller than their rounding is lost.
  const double whole = std::accumulate(kernel.begin(), kernel.end(), 0.0);
  const auto matrix = augmented(y.rows(), kernel, whole * static_cast<double>(std::numeric_limits<float>::epsilon()));
  Eigen::SparseLU<Matrix> solver(matrix);
  if (solver.info() != Eigen::Success)
    throw InternalError("the smoothing of {} samples could not be undone: {}", y.rows(), solver.lastErrorMessage());
  Eigen::MatrixXd wanted = Eigen::MatrixXd::Zero(matrix.rows(), y.cols());
  wanted.topRows(y.rows()) = y;
  Eigen::MatrixXd solution = solver.solve(wanted);
  solution += solver.solve(wanted - matrix * solution);
  Eigen::MatrixXd x = solution.middleRows(y.rows() + static_cast<Eigen::Index>(kernel.size() / 2), y.rows());
  const double amplified = deviation(x) / deviation(y);
  if (!(amplified <= most_amplified / whole))
    throw InputDataError(
        "the observations cannot have been smoothed by the {}-point window that is to be undone: without it they would "
        "be {:.3g} times as large; allowed is {}; leave out data.unsmooth",
        kernel.size(), amplified * whole, most_amplified);
  return x;
}

}  // namespace rankflow::fit
