#include "analysis/identifiability_coverage.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "connectivity/features.hpp"

namespace rankflow::analysis {
namespace {

constexpr int largest_grid_rank = 3;
constexpr std::int64_t largest_grid = 100000;
constexpr std::int64_t points_at_a_time = 1024;
constexpr std::int64_t rows_looked_at = 1024;

/// Points along each latent: as asked, fewer where that would make too many in all.
std::int64_t grid_side(std::int64_t asked, int rank) {
  if (rank > largest_grid_rank) return 0;
  const auto most = std::floor(std::pow(static_cast<double>(largest_grid), 1.0 / rank) + 1e-9);
  return std::min(asked, static_cast<std::int64_t>(most));
}

void visited_box(const connectivity::VisitedStates& states, Coverage& coverage) {
  const auto rank = static_cast<std::size_t>(states.rank);
  coverage.lower.assign(states.z.begin(), states.z.begin() + states.rank);
  coverage.upper = coverage.lower;
  for (std::size_t i = 0; i < states.z.size(); ++i) {
    coverage.lower[i % rank] = std::min(coverage.lower[i % rank], states.z[i]);
    coverage.upper[i % rank] = std::max(coverage.upper[i % rank], states.z[i]);
  }
  const auto inputs = static_cast<std::size_t>(states.inputs);
  coverage.input.assign(inputs, 0.0);
  for (std::size_t i = 0; i < states.v.size(); ++i)
    coverage.input[i % inputs] += states.v[i] / static_cast<double>(states.rows);
}

void lay_axes(double margin, Coverage& coverage) {
  for (std::size_t r = 0; r < coverage.lower.size(); ++r) {
    // A latent that does not move still gets a box.
    const double extent = std::max(coverage.upper[r] - coverage.lower[r], 1e-12);
    const double first = coverage.lower[r] - margin * extent;
    const double spacing = (1 + 2 * margin) * extent / static_cast<double>(coverage.side - 1);
    auto& axis = coverage.axes.emplace_back();
    for (std::int64_t i = 0; i < coverage.side; ++i) axis.push_back(first + spacing * static_cast<double>(i));
  }
}

/// Index along each latent of grid point `point`, first latent slowest.
std::vector<std::int64_t> places_of(std::int64_t point, const Coverage& coverage) {
  std::vector<std::int64_t> places(coverage.axes.size());
  for (std::size_t r = places.size(); r-- > 0; point /= coverage.side) places[r] = point % coverage.side;
  return places;
}

std::int64_t nearest_point(const double* z, const Coverage& coverage) {
  std::int64_t point = 0;
  for (std::size_t r = 0; r < coverage.axes.size(); ++r) {
    const auto& axis = coverage.axes[r];
    const double spacing = axis[1] - axis[0];
    const auto place = std::llround((z[r] - axis[0]) / spacing);
    point = point * coverage.side + std::clamp<std::int64_t>(place, 0, coverage.side - 1);
  }
  return point;
}

/// Drive at some points, in rows.
struct DriveKnowledge {
  std::vector<double> mean, deviation, prior_deviation;
};

/// Drive at rows of z, all under the same input, in pieces of bounded size.
DriveKnowledge drive_at(const connectivity::Posterior& posterior, const connectivity::Variances& variances,
                        const std::vector<double>& z, const std::vector<double>& v, std::int64_t rank,
                        const parallel::Communicator& comm) {
  const auto count = std::ssize(z) / rank;
  const auto inputs = std::ssize(v) / std::max<std::int64_t>(count, 1);
  DriveKnowledge all;
  for (std::int64_t first = 0; first < count; first += points_at_a_time) {
    const auto part = posterior.drive(
        variances, {std::min(points_at_a_time, count - first), z.data() + first * rank, v.data() + first * inputs},
        comm);
    for (Eigen::Index k = 0; k < part.mean.rows(); ++k)
      for (Eigen::Index r = 0; r < part.mean.cols(); ++r) all.mean.push_back(part.mean(k, r));
    all.deviation.insert(all.deviation.end(), part.deviation.begin(), part.deviation.end());
    all.prior_deviation.insert(all.prior_deviation.end(), part.prior_deviation.begin(), part.prior_deviation.end());
  }
  return all;
}

void fill_grid(const connectivity::Posterior& posterior, const connectivity::Variances& variances,
               const parallel::Communicator& comm, Coverage& coverage) {
  std::int64_t count = 1;
  for (int r = 0; r < coverage.rank; ++r) count *= coverage.side;
  std::vector<double> z;
  std::vector<double> v;
  for (std::int64_t point = 0; point < count; ++point) {
    const auto places = places_of(point, coverage);
    for (std::size_t r = 0; r < places.size(); ++r) z.push_back(coverage.axes[r][static_cast<std::size_t>(places[r])]);
    v.insert(v.end(), coverage.input.begin(), coverage.input.end());
  }
  auto found = drive_at(posterior, variances, z, v, coverage.rank, comm);
  coverage.drive = std::move(found.mean);
  coverage.deviation = std::move(found.deviation);
  coverage.prior_deviation = std::move(found.prior_deviation);
}

bool inside_box(std::int64_t point, const Coverage& coverage) {
  const auto places = places_of(point, coverage);
  for (std::size_t r = 0; r < places.size(); ++r) {
    const double z = coverage.axes[r][static_cast<std::size_t>(places[r])];
    if (z < coverage.lower[r] || z > coverage.upper[r]) return false;
  }
  return true;
}

/// What share of the grid is supported, and which points were visited.
void judge_grid(const connectivity::VisitedStates& states, Coverage& coverage) {
  coverage.visited.assign(coverage.deviation.size(), 0);
  for (std::int64_t t = 0; t < states.rows; ++t)
    coverage.visited[static_cast<std::size_t>(nearest_point(states.z.data() + t * states.rank, coverage))] = 1;
  double inside = 0;
  for (std::int64_t point = 0; point < coverage.points(); ++point) {
    const auto place = static_cast<std::size_t>(point);
    const bool known = coverage.deviation[place] <= coverage.limit;
    coverage.supported.push_back(known ? 1 : 0);
    const double share = known ? 1.0 : 0.0;
    coverage.supported_all += share / static_cast<double>(coverage.points());
    coverage.visited_all += coverage.visited[place] / static_cast<double>(coverage.points());
    if (!inside_box(point, coverage)) continue;
    inside += 1;
    coverage.supported_box += share;
  }
  coverage.supported_box = inside > 0 ? coverage.supported_box / inside : coverage.supported_all;
}

/// What is known of the drive at evenly spaced visited states.
DriveKnowledge drive_at_visited(const connectivity::Posterior& posterior, const connectivity::Variances& variances,
                                const connectivity::VisitedStates& states, const parallel::Communicator& comm) {
  const auto count = std::min(rows_looked_at, states.rows);
  std::vector<double> z;
  std::vector<double> v;
  for (std::int64_t k = 0; k < count; ++k) {
    const auto row = k * states.rows / count;
    z.insert(z.end(), states.z.begin() + row * states.rank, states.z.begin() + (row + 1) * states.rank);
    v.insert(v.end(), states.v.begin() + row * states.inputs, states.v.begin() + (row + 1) * states.inputs);
  }
  return drive_at(posterior, variances, z, v, states.rank, comm);
}

double root_mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value / static_cast<double>(values.size());
  return std::sqrt(sum);
}

/// How well the drive is known where it was visited: the standard for the rest.
void judge_visited(DriveKnowledge visited, double share, Coverage& coverage) {
  auto& deviations = visited.deviation;
  std::sort(deviations.begin(), deviations.end());
  const double without_data = root_mean_square(visited.prior_deviation);
  coverage.worst_visited = without_data > 0 ? deviations.back() / without_data : 0.0;
  coverage.limit = deviations[static_cast<std::size_t>(share * static_cast<double>(deviations.size() - 1))];
}

}  // namespace

Coverage cover_latents(const connectivity::Posterior& posterior, const connectivity::Variances& variances,
                       const connectivity::VisitedStates& states, const config::IdentifiabilityOptions& options,
                       const parallel::Communicator& comm) {
  Coverage coverage;
  coverage.rank = states.rank;
  coverage.side = grid_side(options.grid, states.rank);
  visited_box(states, coverage);
  judge_visited(drive_at_visited(posterior, variances, states, comm), options.supported, coverage);
  if (coverage.side == 0) return coverage;
  lay_axes(options.margin, coverage);
  fill_grid(posterior, variances, comm, coverage);
  judge_grid(states, coverage);
  return coverage;
}

std::string coverage_picture(const Coverage& coverage) {
  if (coverage.rank != 2 || coverage.side == 0) return {};
  std::string picture;
  for (auto row = coverage.side; row-- > 0;) {
    picture += fmt::format("{:>9.3g} ", coverage.axes[1][static_cast<std::size_t>(row)]);
    for (std::int64_t column = 0; column < coverage.side; ++column) {
      const auto point = static_cast<std::size_t>(column * coverage.side + row);
      const bool visited = coverage.visited[point] != 0;
      picture += coverage.supported[point] != 0 ? (visited ? '#' : '+') : (visited ? '!' : '.');
    }
    picture += '\n';
  }
  return picture + fmt::format(
                       "          z1 from {:.3g} to {:.3g}, z2 upwards; # visited, + as well known as what was "
                       "visited, . extrapolated, ! visited, yet less known\n",
                       coverage.axes[0].front(), coverage.axes[0].back());
}

}  // namespace rankflow::analysis
