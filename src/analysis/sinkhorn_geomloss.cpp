#include <algorithm>
#include <cmath>

#include "analysis/sinkhorn_transport.hpp"

namespace rankflow::analysis {
namespace {

/// The square of the diameter twice, then factors of 4 down, then blur².
std::vector<double> geomloss_penalties(double diameter, double blur) {
  const double last = blur * blur;
  std::vector<double> steps{std::max(diameter * diameter, last)};
  for (double penalty = diameter * diameter; penalty > last; penalty /= 4) steps.push_back(penalty);
  steps.push_back(last);
  return steps;
}

void average_with(Potential& potential, const Potential& updated) {
  for (std::size_t i = 0; i < potential.size(); ++i) potential[i] = 0.5 * (potential[i] + updated[i]);
}

}  // namespace

Transport geomloss_transport(const PointCloud& x, const PointCloud& y, std::span<const double> middle, double diameter,
                             const SinkhornOptions& options, const parallel::Communicator& comm) {
  SoftMinimum<double> to_rows(x, y, middle, comm);
  SoftMinimum<double> to_columns(y, x, middle, comm);
  const auto steps = geomloss_penalties(diameter, options.blur);
  Potential f(static_cast<std::size_t>(x.count));
  Potential g(static_cast<std::size_t>(y.count));
  Potential rows(f.size());
  Potential columns(g.size());
  to_rows.apply(steps.front(), Potential(g.size(), 0.0), f);
  to_columns.apply(steps.front(), Potential(f.size(), 0.0), g);
  for (const double penalty : steps) {
    to_rows.apply(penalty, g, rows);
    to_columns.apply(penalty, f, columns);
    average_with(f, rows);
    average_with(g, columns);
  }
  to_rows.apply(steps.back(), g, rows);
  to_columns.apply(steps.back(), f, columns);
  to_rows.apply(steps.back(), columns, f);  // only to tell the residual
  return {.value = average_of(rows) + average_of(columns),
          .residual = misplaced(rows, f, steps.back()),
          .iterations = static_cast<std::int64_t>(steps.size()) + 1};
}

}  // namespace rankflow::analysis
