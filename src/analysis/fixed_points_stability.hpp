#pragma once
#include <complex>
#include <cstdint>
#include <string>
#include <vector>

#include <Eigen/Core>

namespace rankflow::analysis {

enum class Stability : std::uint8_t {
  stable = 0,
  saddle = 1,    ///< some directions grow
  unstable = 2,  ///< all directions grow
  undecided = 3  ///< an eigenvalue lies on the limit, or there is no derivative
};

std::string name_of(Stability stability);

/// What the linearisation around a fixed point or cycle says.
struct LinearStability {
  std::vector<std::complex<double>> eigenvalues;  ///< most unstable first; 1/s in continuous time
  int growing = 0;                                ///< eigenvalues beyond the limit
  Stability verdict = Stability::undecided;
};

/// `jacobian` of z(t+1) = f(z): stable when all |eigenvalue| < 1.
LinearStability map_stability(const Eigen::MatrixXd& jacobian);
/// `jacobian` of f in tau dz/dt = f(z): stable when all real parts are negative.
LinearStability flow_stability(const Eigen::MatrixXd& jacobian, double tau);

}  // namespace rankflow::analysis
