#include "analysis/regions_records.hpp"

#include <algorithm>
#include <numeric>

namespace rankflow::analysis {

std::vector<std::vector<double>> gather_records(const parallel::Communicator& comm, const std::vector<double>& mine,
                                                std::size_t length) {
  const auto counts = comm.all_gather(static_cast<std::int64_t>(mine.size()));
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  comm.all_gather<double>(mine, all, counts);
  std::vector<std::vector<double>> records;
  for (auto at = all.begin(); at != all.end(); at += static_cast<std::ptrdiff_t>(length))
    records.emplace_back(at, at + static_cast<std::ptrdiff_t>(length));
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.front() < b.front(); });
  return records;
}

}  // namespace rankflow::analysis
