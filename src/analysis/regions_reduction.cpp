#include "analysis/regions_reduction.hpp"

#include <Eigen/Dense>

#include "parallel/draws.hpp"

namespace rankflow::analysis {
namespace {

/// Directions in which normals of length 1 extend less than this, relative to the widest, are unseen.
constexpr double span_tolerance = 1e-12;

/// Orthonormal bases of a column space and of its complement.
struct Bases {
  SmallMatrix range;
  SmallMatrix complement;
};

Bases split(const SmallMatrix& matrix, double tolerance) {
  const auto rows = matrix.rows();
  if (matrix.cols() == 0) return {SmallMatrix(rows, 0), SmallMatrix::Identity(rows, rows)};
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(Eigen::MatrixXd(matrix), Eigen::ComputeFullU);
  const auto& values = svd.singularValues();
  Eigen::Index rank = 0;
  while (rank < values.size() && values[rank] > tolerance * values[0]) ++rank;
  return {svd.matrixU().leftCols(rank), svd.matrixU().rightCols(rows - rank)};
}

/// Bases of what the hyperplanes see and do not see.
Bases visible(const KinkedSystem& system) {
  const int n = system.dimension();
  if (system.kinks() == 0) return {SmallMatrix(n, 0), SmallMatrix::Identity(n, n)};
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Rows> normals(system.normals.data(), system.kinks(), n);
  // The triangular factor has the same singular values and right vectors, without squaring small ones away.
  const Eigen::MatrixXd triangle = Eigen::HouseholderQR<Eigen::MatrixXd>(normals)
                                       .matrixQR()
                                       .topRows(std::min<Eigen::Index>(n, system.kinks()))
                                       .triangularView<Eigen::Upper>();
  return split(SmallMatrix(triangle.transpose()), span_tolerance);
}

}  // namespace

SmallMatrix random_rotation(int size, const parallel::Stream& stream) {
  if (size == 0) return SmallMatrix(0, 0);
  Eigen::MatrixXd draws(size, size);
  parallel::normal<double>(stream, {}, 0, std::span(draws.data(), static_cast<std::size_t>(draws.size())));
  return SmallMatrix(Eigen::HouseholderQR<Eigen::MatrixXd>(draws).householderQ());
}

Reduction::Reduction(const KinkedSystem& full, const parallel::Stream& stream)
    : full_(&full), system_(SmallMatrix(0, 0), SmallVector(0)) {
  const auto bases = visible(full);
  seen_ = bases.range;
  unseen_ = bases.complement;
  response_ = full.linear * unseen_;
  const auto outputs = split(response_, span_tolerance);
  degenerate_ = outputs.range.cols() < unseen_.cols();
  const int free = static_cast<int>(outputs.complement.cols());
  const SmallMatrix mixed = outputs.complement * random_rotation(free, stream);
  const SmallMatrix kept = mixed.leftCols(seen_.cols()).transpose();  // [r, n]
  system_ = KinkedSystem(kept * full.linear * seen_, kept * full.constant);
  for (std::int64_t k = 0; k < full.kinks(); ++k)
    system_.add_kink(seen_.transpose() * full.normal(k), full.thresholds[static_cast<std::size_t>(k)],
                     kept * full.weight(k));
}

SmallVector Reduction::lift(const SmallVector& y) const {
  SmallVector x = seen_ * y;
  if (unseen_.cols() == 0) return x;
  const Eigen::MatrixXd response = response_;
  const Eigen::VectorXd missing = full_->evaluate(x);
  return x - unseen_ * Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd>(response).solve(missing);
}

}  // namespace rankflow::analysis
