#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/identifiability_options.hpp"
#include "connectivity/posterior.hpp"

namespace rankflow::analysis {

/// Where the drive F(z) = (1/N) n^T phi(m z + b v, d) is known from the visited states and where it is extrapolated, on
/// a grid over the box that was visited and a margin around it. v: mean of what was visited.
struct Coverage {
  int rank = 0;
  std::int64_t side = 0;                  ///< points along each latent; 0: rank above 3, no grid
  std::vector<double> lower, upper;       ///< of the box that was visited [R]
  std::vector<std::vector<double>> axes;  ///< [R][side]
  std::vector<double> input;              ///< v [I]
  // Points of the grid, first latent slowest.
  std::vector<double> drive;            ///< mean of F given the data [point, R]
  std::vector<double> deviation;        ///< standard deviation of F_r given the data [point]
  std::vector<double> prior_deviation;  ///< and without [point]
  std::vector<std::uint8_t> supported;  ///< 1: deviation is at most `limit` [point]
  std::vector<std::uint8_t> visited;    ///< 1: a visited state lies nearest to this point [point]
  double supported_box = 0;             ///< share of points inside the visited box that are supported
  double supported_all = 0;             ///< share of all points
  double visited_all = 0;               ///< share of all points
  /// Of the visited states themselves (evenly spaced ones): largest deviation, over the one without data (its root mean
  /// square).
  double worst_visited = 0;
  double limit = 0;  ///< what the deviation stays below at the share of visited states that was asked for

  std::int64_t points() const noexcept { return static_cast<std::int64_t>(deviation.size()); }
};

/// Collective.
Coverage cover_latents(const connectivity::Posterior& posterior, const connectivity::Variances& variances,
                       const connectivity::VisitedStates& states, const config::IdentifiabilityOptions& options,
                       const parallel::Communicator& comm);

/// A picture for rank 2 (z2 upwards): # visited, + supported, . extrapolated, ! visited but not supported. Empty for
/// another rank.
std::string coverage_picture(const Coverage& coverage);

}  // namespace rankflow::analysis
