#include "flow/path.hpp"

#include <cmath>
#include <numbers>

namespace rankflow::flow {

PathPoint Path::at(double t) const {
  switch (kind_) {
    case config::PathKind::conditional_ot:
      return {t, 1 - (1 - path_noise_) * t, 1.0, path_noise_ - 1};
    case config::PathKind::linear:
      return {t, 1 - t, 1.0, -1.0};
    case config::PathKind::variance_preserving:
      break;
  }
  constexpr double turn = std::numbers::pi / 2;
  const double s = std::sin(turn * t);
  const double c = std::cos(turn * t);
  return {s, c, turn * c, -turn * s};
}

}  // namespace rankflow::flow
