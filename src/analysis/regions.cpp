#include "analysis/regions.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/regions_rays.hpp"
#include "analysis/regions_records.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

constexpr double most_blocks = 4096;

KinkedSystem tidied(KinkedSystem system) {
  if (system.dimension() > max_dimension)
    throw ConfigurationError(
        "fixed_points.method: the exact search handles at most {} dimensions, found {} (rank times cycle order); use "
        "\"newton\", which may miss fixed points",
        max_dimension, system.dimension());
  system.tidy();
  return system;
}

bool in_order(const Zero& a, const Zero& b) {
  return std::lexicographical_compare(a.place.begin(), a.place.end(), b.place.begin(), b.place.end());
}

}  // namespace

RegionSearch::RegionSearch(KinkedSystem system, std::uint64_t seed)
    : seed_(seed),
      system_(tidied(std::move(system))),
      reduction_(system_, parallel::Stream(seed, parallel::Purpose::fixed_point_directions)),
      table_(reduction_.system()) {}

double RegionSearch::lines() const {
  return seen_dimensions() == 0 ? 0.0 : combinations(hyperplanes(), seen_dimensions() - 1);
}

void RegionSearch::search_block(std::uint64_t first, std::uint64_t count, LineScan& scan, CellSearch& cells,
                                ZeroList& found) const {
  cells.begin_block();
  auto planes = combination(hyperplanes(), seen_dimensions() - 1, first);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) next_combination(hyperplanes(), planes);
    const auto line = flat_of(table_, planes);
    if (!line.proper) continue;
    const SmallVector direction = line.tangent.col(0);
    for (const double t : scan.zeros(line.foot, direction)) {
      const Zero zero{line.foot + t * direction, false};
      cells.climb(zero, planes, found);
      if (seen_dimensions() == 1) cells.leave_kinks(zero, found);
    }
  }
}

RegionZeros RegionSearch::find(const parallel::Communicator& comm, const std::function<void(double)>& progress) const {
  const auto total = static_cast<std::uint64_t>(std::llround(lines()));
  const auto blocks = static_cast<std::uint64_t>(std::min(most_blocks, lines()));
  LineScan scan(table_);
  CellSearch cells(table_);
  std::vector<double> mine;  // for each zero: block, continuum or not, place
  for (auto block = static_cast<std::uint64_t>(comm.rank()); block < blocks;
       block += static_cast<std::uint64_t>(comm.size())) {
    const std::uint64_t first = block * (total / blocks) + std::min(block, total % blocks);
    ZeroList found(same_zero, table_.length());
    search_block(first, total / blocks + (block < total % blocks ? 1 : 0), scan, cells, found);
    for (const auto& zero : found.zeros()) {
      mine.push_back(static_cast<double>(block));
      mine.push_back(zero.continuum ? 1.0 : 0.0);
      mine.insert(mine.end(), zero.place.begin(), zero.place.end());
    }
    progress(static_cast<double>(block + 1) / static_cast<double>(blocks));
  }
  auto result = gather(comm, mine);
  std::array<std::int64_t, 2> counts{cells.regions(), cells.unresolved()};
  comm.sum(counts);
  result.regions = std::max<std::int64_t>(1, counts[0]);
  result.unresolved += counts[1];
  return result;
}

std::int64_t RegionSearch::add_rays(ZeroList& zeros) const {
  std::int64_t unresolved = 0;
  const auto isolated = zeros.zeros();
  for (const auto& zero : isolated) {
    if (zero.continuum || hyperplanes_through(table_, zero.place) <= most_tried_hyperplanes) continue;
    const auto rays = zero_rays(table_, zero.place, seed_);
    for (const auto& point : rays.points) zeros.insert({point, true});
    unresolved += rays.complete ? 0 : 1;
  }
  return unresolved;
}

RegionZeros RegionSearch::gather(const parallel::Communicator& comm, const std::vector<double>& mine) const {
  const auto n = static_cast<std::size_t>(seen_dimensions());
  std::vector<Zero> candidates;
  if (n == 0) candidates.push_back({SmallVector(0), false});
  for (const auto& record : gather_records(comm, mine, n + 2))
    candidates.push_back(
        {Eigen::Map<const Eigen::VectorXd>(record.data() + 2, static_cast<Eigen::Index>(n)), record[1] > 0});
  std::sort(candidates.begin(), candidates.end(), in_order);  // any order of the blocks gives the same list
  ZeroList merged(same_zero, table_.length());
  for (const auto& zero : candidates) merged.insert(zero);
  RegionZeros result;
  result.unresolved = add_rays(merged);
  for (const auto& zero : merged.zeros())
    result.zeros.push_back({reduction_.lift(zero.place), zero.continuum || reduction_.degenerate()});
  std::sort(result.zeros.begin(), result.zeros.end(), in_order);
  return result;
}

}  // namespace rankflow::analysis
