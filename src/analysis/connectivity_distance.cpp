#include "analysis/connectivity_distance.hpp"

#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "model/presets.hpp"
#include "parallel/partition.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::analysis {
namespace {

void require_rows(const PointCloud& loadings, std::span<const double> n, int rank) {
  if (static_cast<std::int64_t>(n.size()) != loadings.count * rank)
    throw InputDataError("n has {} values; {} neurons of rank {} have {}", n.size(), loadings.count, rank,
                         loadings.count * rank);
  for (const double value : n)
    if (!std::isfinite(value)) throw InputDataError("n holds a value that is not finite ({})", value);
}

}  // namespace

double conditional_error(const PointCloud& loadings, std::span<const double> n, const ConditionalMean& mean, int rank,
                         const parallel::Communicator& comm) {
  require_rows(loadings, n, rank);
  const auto width = static_cast<std::size_t>(rank);
  const parallel::Partition mine(loadings.count, comm.size(), comm.rank());
  std::vector<double> expected(width);
  parallel::ReproducibleSum sum(1);
  for (std::int64_t i = mine.begin(); i < mine.end(); ++i) {
    mean(loadings.point(i), expected);
    double square = 0;
    for (std::size_t r = 0; r < width; ++r) {
      const double error = n[static_cast<std::size_t>(i) * width + r] - expected[r];
      square += error * error;
    }
    sum.add(0, square);
  }
  double total = 0;
  sum.reduce(comm, std::span(&total, 1));
  return total / static_cast<double>(n.size());
}

TruthDistance distance_to_truth(const PointCloud& loadings, std::span<const double> n, const ConnectivityTruth& truth,
                                const SinkhornOptions& options, const parallel::Communicator& comm) {
  return {.loadings = sinkhorn_divergence(truth.loadings, loadings, options, comm),
          .conditional_error = conditional_error(loadings, n, truth.mean, truth.rank, comm)};
}

ConditionalMean preset_conditional_mean(config::Preset preset) {
  const auto network = model::preset_network(preset);
  std::vector<int> given(static_cast<std::size_t>(network.rank + network.inputs));
  std::vector<int> wanted(static_cast<std::size_t>(network.rank));
  std::iota(given.begin(), given.begin() + network.rank, 0);
  std::iota(given.begin() + network.rank, given.end(), 2 * network.rank);
  std::iota(wanted.begin(), wanted.end(), network.rank);
  return conditional_mean(mixture_of(network.populations, network.rank, network.inputs), given, wanted);
}

}  // namespace rankflow::analysis
