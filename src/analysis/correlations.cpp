#include "analysis/correlations.hpp"

#include <cmath>
#include <limits>

#include <Eigen/Core>

#include "analysis/smoothing.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Variances below this share of the mean square are what rounding left of zero.
constexpr double negligible = 1e-14;

/// From n, Σx, Σy, Σx², Σy², Σxy of the pairs observed.
double correlation_of(double n, double x, double y, double xx, double yy, double xy) {
  const double variance_x = xx - x * x / n, variance_y = yy - y * y / n;
  if (!(variance_x > negligible * xx) || !(variance_y > negligible * yy)) return not_a_number;
  return (xy - x * y / n) / std::sqrt(variance_x * variance_y);
}

}  // namespace

std::vector<double> correlation_matrix(const Series& series) {
  // Sums of pairwise complete observations are products of the values (0 where missing) with the 0/1 observed matrix.
  const auto width = series.channels;
  const auto centre = moments(series).mean;
  Matrix values = Eigen::Map<const Matrix>(series.values.data(), series.trials * series.times, width).rowwise() -
                  Eigen::Map<const Eigen::RowVectorXd>(centre.data(), width);
  const Matrix observed = (!values.array().isNaN()).cast<double>();
  values = values.array().isNaN().select(0.0, values);
  const Matrix count = observed.transpose() * observed;
  const Matrix sum = values.transpose() * observed;  // (a, b): Σ of a where b was observed
  const Matrix square = values.array().square().matrix().transpose() * observed;
  const Matrix product = values.transpose() * values;
  std::vector<double> result(static_cast<std::size_t>(width * width));
  for (Eigen::Index a = 0; a < width; ++a)
    for (Eigen::Index b = 0; b < width; ++b)
      result[static_cast<std::size_t>(a * width + b)] =
          correlation_of(count(a, b), sum(a, b), sum(b, a), square(a, b), square(b, a), product(a, b));
  return result;
}

std::vector<double> above_diagonal(std::span<const double> matrix) {
  const auto width = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(matrix.size()))));
  if (width * width != matrix.size()) throw InternalError("a square matrix of {} entries", matrix.size());
  std::vector<double> entries;
  for (std::size_t a = 0; a < width; ++a)
    for (std::size_t b = a + 1; b < width; ++b) entries.push_back(matrix[a * width + b]);
  return entries;
}

Agreement agreement(std::span<const double> reference, std::span<const double> model) {
  if (reference.size() != model.size())
    throw InternalError("agreement of {} and {} entries", reference.size(), model.size());
  Agreement result;
  std::vector<double> pairs;
  for (std::size_t i = 0; i < model.size(); ++i)
    if (!std::isnan(reference[i]) && !std::isnan(model[i])) pairs.insert(pairs.end(), {reference[i], model[i]});
  double squares = 0, reference_squares = 0;
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    squares += (pairs[i + 1] - pairs[i]) * (pairs[i + 1] - pairs[i]);
    reference_squares += pairs[i] * pairs[i];
  }
  result.count = static_cast<std::int64_t>(pairs.size() / 2);
  result.rmse = std::sqrt(squares / static_cast<double>(result.count));
  result.relative = std::sqrt(squares / reference_squares);
  const Series two{1, result.count, 2, std::move(pairs)};
  result.correlation = correlation_matrix(two)[1];
  return result;
}

}  // namespace rankflow::analysis
