#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sinkhorn_softmin.hpp"

namespace rankflow::analysis {

using Potential = std::vector<double>;

/// What OT between two clouds came to.
struct Transport {
  double value = 0;
  double residual = 0;
  std::int64_t iterations = 0;
};

inline double average_of(const Potential& potential) {
  double sum = 0;
  for (const double value : potential) sum += value;
  return sum / static_cast<double>(potential.size());
}

/// Σ_i |exp((old_i − new_i)/ε) − 1| / count: with `updated` the row sums of the plan would be right.
inline double misplaced(const Potential& old, const Potential& updated, double epsilon) {
  double sum = 0;
  for (std::size_t i = 0; i < old.size(); ++i) sum += std::abs(std::expm1((old[i] - updated[i]) / epsilon));
  return sum / static_cast<double>(old.size());
}

/// OT as GeomLoss 0.2 computes it (sinkhorn_tensorized, scaling 0.5): rows and columns at once, averaged with what they
/// were, one iteration per penalty, and a last one that is not averaged. Collective.
Transport geomloss_transport(const PointCloud& x, const PointCloud& y, std::span<const double> middle, double diameter,
                             const SinkhornOptions& options, const parallel::Communicator& comm);

}  // namespace rankflow::analysis
