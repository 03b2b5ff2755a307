#include "analysis/fixed_points_stability.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include <Eigen/Eigenvalues>

#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

/// Eigenvalues closer to the limit than this decide nothing.
constexpr double limit_width = 1e-9;

/// `excess`: how far an eigenvalue is beyond the limit of stability.
LinearStability judge(const Eigen::MatrixXd& jacobian, double scale,
                      const std::function<double(std::complex<double>)>& excess) {
  const Eigen::EigenSolver<Eigen::MatrixXd> solver(jacobian, false);
  if (solver.info() != Eigen::Success)
    throw NumericalError("the eigenvalues of a Jacobian of {} latents did not converge", jacobian.rows());
  LinearStability result;
  bool marginal = false;
  for (const auto& value : solver.eigenvalues()) {
    const double beyond = excess(value);
    marginal = marginal || std::abs(beyond) <= limit_width;
    if (beyond > limit_width) ++result.growing;
    result.eigenvalues.push_back(value * scale);
  }
  std::sort(result.eigenvalues.begin(), result.eigenvalues.end(), [&](const auto& a, const auto& b) {
    return std::make_tuple(-excess(a / scale), -a.imag()) < std::make_tuple(-excess(b / scale), -b.imag());
  });
  const auto all = static_cast<int>(result.eigenvalues.size());
  if (!marginal)
    result.verdict = result.growing == 0     ? Stability::stable
                     : result.growing == all ? Stability::unstable
                                             : Stability::saddle;
  return result;
}

}  // namespace

std::string name_of(Stability stability) {
  switch (stability) {
    case Stability::stable:
      return "stable";
    case Stability::saddle:
      return "saddle";
    case Stability::unstable:
      return "unstable";
    case Stability::undecided:
      break;
  }
  return "undecided";
}

LinearStability map_stability(const Eigen::MatrixXd& jacobian) {
  return judge(jacobian, 1.0, [](std::complex<double> value) { return std::abs(value) - 1.0; });
}

LinearStability flow_stability(const Eigen::MatrixXd& jacobian, double tau) {
  return judge(jacobian, 1.0 / tau, [](std::complex<double> value) { return value.real(); });
}

}  // namespace rankflow::analysis
