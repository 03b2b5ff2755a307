#include "connectivity/pivoted_columns.hpp"

namespace rankflow::connectivity {

std::vector<std::int64_t> pivoted_columns(Eigen::MatrixXd a, double stop, std::int64_t maximum) {
  Eigen::VectorXd left(a.cols());
  for (Eigen::Index j = 0; j < a.cols(); ++j) left[j] = a.col(j).squaredNorm();
  const auto limit = std::min<std::int64_t>(maximum, std::min(a.rows(), a.cols()));
  Eigen::MatrixXd directions(a.rows(), limit);
  std::vector<std::int64_t> chosen;
  while (static_cast<std::int64_t>(chosen.size()) < limit) {
    Eigen::Index pivot = 0;
    const double farthest = left.maxCoeff(&pivot);
    if (!(farthest > 0.0) || left.sum() <= stop) break;
    const auto count = static_cast<Eigen::Index>(chosen.size());
    auto direction = directions.col(count);
    direction = a.col(pivot).normalized();
    // Again, since what was left of the column was small beside what was taken away.
    const auto before = directions.leftCols(count);
    direction -= before * (before.transpose() * direction);
    direction.normalize();
    for (Eigen::Index j = 0; j < a.cols(); ++j) {
      a.col(j) -= direction * direction.dot(a.col(j));
      left[j] = a.col(j).squaredNorm();
    }
    left[pivot] = 0.0;
    a.col(pivot).setZero();
    chosen.push_back(pivot);
  }
  return chosen;
}

}  // namespace rankflow::connectivity
