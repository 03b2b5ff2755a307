#include "analysis/kernel_density.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include <Eigen/Core>

#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using Eigen::ArrayXd;
using Eigen::MatrixXd;
using Centres = Eigen::Map<const MatrixXd>;

/// Centres of one matrix product; with `group` points the distances take 128 KiB.
constexpr std::int64_t block_rows = 512;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Running Σ exp(−e) = total · exp(−least).
struct Total {
  double least = infinity;
  double total = 0;

  void add(const Eigen::Ref<const ArrayXd>& exponents) {
    const double smallest = exponents.minCoeff();
    if (smallest < least) {
      total *= std::exp(smallest - least);
      least = smallest;
    }
    total += (least - exponents).exp().sum();
  }
};

}  // namespace

KernelDensity::KernelDensity(std::span<const double> centres, std::int64_t dimension, double bandwidth)
    : dimension_(dimension),
      count_(dimension > 0 ? static_cast<std::int64_t>(centres.size()) / dimension : 0),
      scale_(1 / (bandwidth * std::numbers::sqrt2)) {
  if (count_ < 1 || !(bandwidth > 0))
    throw InternalError("kernel density on {} numbers of dimension {} with bandwidth {}", centres.size(), dimension,
                        bandwidth);
  const Centres given(centres.data(), dimension_, count_);
  const Eigen::VectorXd mean = given.rowwise().mean();
  mean_.assign(mean.data(), mean.data() + mean.size());
  const std::int64_t padded = (count_ + block_rows - 1) / block_rows * block_rows;
  centres_.assign(static_cast<std::size_t>(padded * dimension_), 0.0);
  exponent_.assign(static_cast<std::size_t>(padded), infinity);
  Eigen::Map<MatrixXd> kept(centres_.data(), dimension_, padded);
  kept.leftCols(count_) = (given.colwise() - mean) * scale_;
  Eigen::Map<Eigen::RowVectorXd>(exponent_.data(), count_) = kept.leftCols(count_).colwise().squaredNorm();
}

void KernelDensity::log_density(std::span<const double> points, std::span<double, group> result) const {
  const Eigen::Map<const Eigen::VectorXd> mean(mean_.data(), dimension_);
  const MatrixXd scaled = (Centres(points.data(), dimension_, group).colwise() - mean) * scale_;
  const Eigen::VectorXd norm = scaled.colwise().squaredNorm().transpose();
  std::array<Total, group> totals;
  MatrixXd product(block_rows, group);
  ArrayXd exponents(block_rows);
  for (std::int64_t first = 0; first < static_cast<std::int64_t>(exponent_.size()); first += block_rows) {
    product.noalias() = Centres(centres_.data() + first * dimension_, dimension_, block_rows).transpose() * scaled;
    const Eigen::Map<const ArrayXd> norms(exponent_.data() + first, block_rows);
    for (std::int64_t point = 0; point < group; ++point) {
      // Rounding may leave a distance of 0 slightly negative.
      exponents = (norms + norm[point] - 2 * product.col(point).array()).max(0.0);
      totals[static_cast<std::size_t>(point)].add(exponents);
    }
  }
  const double constant =
      std::log(static_cast<double>(count_)) - static_cast<double>(dimension_) * std::log(scale_ * std::numbers::sqrt2);
  for (std::size_t point = 0; point < totals.size(); ++point)
    result[point] = std::log(totals[point].total) - totals[point].least - constant;
}

}  // namespace rankflow::analysis
