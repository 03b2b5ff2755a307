#pragma once
#include "config/flow_options.hpp"

namespace rankflow::flow {

/// x_t = sample x1 + noise x0, and its derivative in t: the velocity that a network is taught.
struct PathPoint {
  double sample = 0.0;
  double noise = 0.0;
  double sample_velocity = 0.0;
  double noise_velocity = 0.0;
};

/// A Gaussian path from noise at t = 0 to a sample at t = 1 (Lipman et al. 2023, "Flow matching for generative
/// modeling", eq. 10 and 15).
class Path {
 public:
  /// `path_noise` is what is left of the noise at t = 1, for conditional_ot.
  Path(config::PathKind kind, double path_noise) : kind_(kind), path_noise_(path_noise) {}
  explicit Path(const config::FlowTrainingOptions& options) : Path(options.path, options.path_noise) {}

  /// t in [0, 1].
  PathPoint at(double t) const;

 private:
  config::PathKind kind_;
  double path_noise_;
};

}  // namespace rankflow::flow
