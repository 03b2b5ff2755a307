#include "analysis/regions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

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

/// Pieces of all ranks, one after the other.
std::vector<double> gather_all(const parallel::Communicator& comm, const std::vector<double>& mine) {
  const auto counts = comm.all_gather(static_cast<std::int64_t>(mine.size()));
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  comm.all_gather<double>(mine, all, counts);
  return all;
}

bool before(const Zero& a, const Zero& b) {
  return std::lexicographical_compare(a.place.begin(), a.place.end(), b.place.begin(), b.place.end());
}

}  // namespace

RegionSearch::RegionSearch(KinkedSystem system, std::uint64_t seed)
    : system_(tidied(std::move(system))),
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
    for (const double t : scan.zeros(line.foot, direction))
      cells.climb({line.foot + t * direction, false}, planes, found);
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
  result.unresolved = counts[1];
  return result;
}

RegionZeros RegionSearch::gather(const parallel::Communicator& comm, const std::vector<double>& mine) const {
  const auto n = static_cast<std::size_t>(seen_dimensions());
  const auto all = gather_all(comm, mine);
  std::vector<Zero> candidates;
  if (n == 0) candidates.push_back({SmallVector(0), false});
  for (std::size_t at = 0; at < all.size(); at += n + 2)
    candidates.push_back(
        {Eigen::Map<const Eigen::VectorXd>(all.data() + at + 2, static_cast<Eigen::Index>(n)), all[at + 1] > 0});
  std::sort(candidates.begin(), candidates.end(), before);  // any order of the blocks gives the same list
  ZeroList merged(same_zero, table_.length());
  for (const auto& zero : candidates) merged.insert(zero);
  RegionZeros result;
  for (const auto& zero : merged.zeros())
    result.zeros.push_back({reduction_.lift(zero.place), zero.continuum || reduction_.degenerate()});
  std::sort(result.zeros.begin(), result.zeros.end(), before);
  return result;
}

}  // namespace rankflow::analysis
