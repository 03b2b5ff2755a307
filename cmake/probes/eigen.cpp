#include <Eigen/LU>

int main() {
  const Eigen::Matrix2d matrix = Eigen::Matrix2d::Identity();
  return matrix.inverse()(0, 0) > 0.0 ? 0 : 1;
}
