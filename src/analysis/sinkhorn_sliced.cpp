#include "analysis/sinkhorn_sliced.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "parallel/draws.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

std::vector<double> unit_vector(int dimensions, std::int64_t number, std::uint64_t seed) {
  std::vector<double> vector(static_cast<std::size_t>(dimensions));
  parallel::normal<double>(parallel::Stream(seed, parallel::Purpose::sliced_points),
                           {.step = static_cast<std::uint32_t>(number), .index = 0}, 0, vector);
  double square = 0;
  for (const double value : vector) square += value * value;
  for (double& value : vector) value /= std::sqrt(square);
  return vector;
}

std::vector<double> sorted_projection(const PointCloud& cloud, const std::vector<double>& direction) {
  std::vector<double> places(static_cast<std::size_t>(cloud.count), 0.0);
  for (std::int64_t i = 0; i < cloud.count; ++i)
    for (std::size_t k = 0; k < direction.size(); ++k)
      places[static_cast<std::size_t>(i)] += direction[k] * cloud.point(i)[k];
  std::sort(places.begin(), places.end());
  return places;
}

/// ∫ (quantile_x − quantile_y)² / 2: steps of 1/|x| meet steps of 1/|y|.
double transport_on_line(const std::vector<double>& x, const std::vector<double>& y) {
  const auto count_x = static_cast<double>(x.size());
  const auto count_y = static_cast<double>(y.size());
  double sum = 0;
  double at = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < x.size() && j < y.size()) {
    const double end_x = static_cast<double>(i + 1) / count_x;
    const double end_y = static_cast<double>(j + 1) / count_y;
    const double end = std::min(end_x, end_y);
    sum += 0.5 * (end - at) * (x[i] - y[j]) * (x[i] - y[j]);
    at = end;
    if (end_x <= end) ++i;
    if (end_y <= end) ++j;
  }
  return sum;
}

}  // namespace

double sliced_transport(const PointCloud& x, const PointCloud& y, std::int64_t directions, std::uint64_t seed,
                        const parallel::Communicator& comm) {
  if (x.count < 1 || y.count < 1 || x.dimensions != y.dimensions)
    throw InputDataError("sliced transport needs points of equal dimension, found {} of {} and {} of {}", x.count,
                         x.dimensions, y.count, y.dimensions);
  parallel::ReproducibleSum sum(1);
  for (std::int64_t k = comm.rank(); k < directions; k += comm.size()) {
    const auto direction = unit_vector(x.dimensions, k, seed);
    sum.add(0, transport_on_line(sorted_projection(x, direction), sorted_projection(y, direction)));
  }
  double total = 0;
  sum.reduce(comm, std::span(&total, 1));
  return total / static_cast<double>(directions);
}

}  // namespace rankflow::analysis
